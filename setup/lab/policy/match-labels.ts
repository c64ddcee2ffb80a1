import { DEFAULT_NAMESPACE } from './parse.ts'
import { NAMESPACE_LABEL, NAMESPACE_NAME_LABEL } from './parse-selector.ts'
import type { Requirement, Selector } from './policy.ts'
import type { Endpoint } from './world.ts'

/** Labels by source, then by key. */
export interface Labels {
  readonly k8s?: Readonly<Record<string, string>>
  readonly reserved?: Readonly<Record<string, string>>
}

export const HOST_LABELS: Labels = { reserved: { host: '' } }
/** Also those of every block of addresses that a policy names. */
export const WORLD_LABELS: Labels = { reserved: { world: '' } }

/** A pod's own labels and those that Cilium derives from its namespace. */
export function labelsOf(endpoint: Endpoint): Labels {
  const namespace = namespaceOf(endpoint)
  return {
    k8s: { ...endpoint.labels, [NAMESPACE_LABEL]: namespace, [NAMESPACE_NAME_LABEL]: namespace },
  }
}

export function namespaceOf(endpoint: Endpoint): string {
  return endpoint.namespace ?? DEFAULT_NAMESPACE
}

export function matches({ requirements }: Selector, labels: Labels): boolean {
  return requirements.every((requirement) => holds(requirement, labels))
}

function holds({ source, key, operator, values }: Requirement, labels: Labels): boolean {
  const value =
    source === 'any' ? (valueIn(labels.k8s, key) ?? valueIn(labels.reserved, key)) : valueIn(labels[source], key)
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
  }
}

function valueIn(labels: Readonly<Record<string, string>> | undefined, key: string): string | undefined {
  return labels && Object.hasOwn(labels, key) ? labels[key] : undefined
}
