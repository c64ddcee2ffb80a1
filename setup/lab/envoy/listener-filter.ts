import type { Json } from './json.ts'

export function listenerFilter(name: string, message: string, settings: { readonly [name: string]: Json } = {}): Json {
  return {
    name: `envoy.filters.listener.${name}`,
    typed_config: {
      '@type': `type.googleapis.com/envoy.extensions.filters.listener.${name}.v3.${message}`,
      ...settings,
    },
  }
}
