import type { Json } from './json.ts'

export const HTTP = 'type.googleapis.com/envoy.extensions.filters.http'

/**
 * The HTTP connection manager of one direction, with the settings that Istio 1.31 gives it: the same filters in the same order,
 * no idle and no route time-out, its retry rules. No tracing provider and no access log, as in Istio's default profile.
 */
export function httpConnectionManager(direction: 'inbound' | 'outbound'): Json {
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
      stat_prefix: direction,
      codec_type: 'AUTO',
      ...(direction === 'inbound' ? INBOUND : {}),
      stream_idle_timeout: '0s',
      use_remote_address: false,
      proxy_100_continue: true,
      upgrade_configs: [{ upgrade_type: 'websocket' }],
      normalize_path: true,
      path_with_escaped_slashes_action: 'KEEP_UNCHANGED',
      request_id_extension: {
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig',
          use_request_id_for_trace_sampling: true,
        },
      },
      http_filters: [
        httpFilter('grpc_stats', `${HTTP}.grpc_stats.v3.FilterConfig`, {
          emit_filter_state: true,
          stats_for_all_methods: false,
        }),
        httpFilter('fault', `${HTTP}.fault.v3.HTTPFault`),
        httpFilter('cors', `${HTTP}.cors.v3.Cors`),
        httpFilter('router', `${HTTP}.router.v3.Router`),
      ],
      route_config: {
        name: direction,
        validate_clusters: false,
        virtual_hosts: [
          {
            name: `${direction}|http`,
            domains: ['*'],
            ...(direction === 'outbound' ? { include_request_attempt_count: true } : {}),
            routes: [
              {
                name: 'default',
                match: { prefix: '/' },
                route: { cluster: direction, timeout: '0s', retry_policy: RETRIES[direction] },
              },
            ],
          },
        ],
      },
    },
  }
}

const INBOUND: { readonly [name: string]: Json } = {
  server_name: 'istio-envoy',
  forward_client_cert_details: 'APPEND_FORWARD',
  set_current_client_cert_details: { subject: true, dns: true, uri: true },
}

const RETRIES: { readonly [direction in 'inbound' | 'outbound']: Json } = {
  inbound: { retry_on: 'reset-before-request', num_retries: 2 },
  outbound: { retry_on: 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes', num_retries: 2 },
}

export function httpFilter(name: string, type: string, settings: { readonly [name: string]: Json } = {}): Json {
  return { name: `envoy.filters.http.${name}`, typed_config: { '@type': type, ...settings } }
}
