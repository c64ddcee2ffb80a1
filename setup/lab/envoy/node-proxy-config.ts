import { PROXY_MARKS } from '../topology.ts'
import { tcpCluster } from './clusters.ts'
import { HTTP, httpFilter } from './http-filters.ts'
import type { Json } from './json.ts'
import { listenerFilter } from './listener-filter.ts'

/** Where the data path hands flows over, in the node's namespace. */
export const NODE_PROXY_PORT = 15100

/** The two filters that hold a policy's L7 rules, by the direction in which it selects the pod. */
export const RBAC_FILTERS = { egress: 'meshmark.rbac.egress', ingress: 'meshmark.rbac.ingress' } as const

export interface NodeProxyConfig {
  readonly adminSocket: string
  /** Files of the two RBAC filters (ECDS): replaced whole while the proxy runs, so that no connection is drained. */
  readonly rbacFiles: Readonly<Record<keyof typeof RBAC_FILTERS, string>>
  /** Directory of these files. */
  readonly watched: string
}

/**
 * Bootstrap of the one Envoy of a node, through which flows with L7 rules go. Addresses are kept on both sides: the listeners take
 * flows to any address (`transparent`), and the original_src filter opens upstream connections from the client's own
 * address, with the mark by which the data path knows them.
 */
export function nodeProxyConfig(config: NodeProxyConfig): Json {
  return {
    node: { id: 'node-proxy', cluster: 'meshmark' },
    admin: { address: { pipe: { path: config.adminSocket } } },
    // Envoy refuses longer expressions than 100 instructions by default; a path of a policy may be one.
    layered_runtime: { layers: [{ name: 'static', static_layer: { 're2.max_program_size.error_level': 32_768 } }] },
    static_resources: {
      listeners: [listener('l7', '0.0.0.0', config), listener('l7-ipv6', '::', config)],
      clusters: [tcpCluster('original', {})],
    },
  }
}

function listener(name: string, address: string, config: NodeProxyConfig): Json {
  return {
    name,
    transparent: true,
    // bpf_sk_assign takes no socket of a reuseport group before kernel 6.6; there is one worker anyway.
    enable_reuse_port: false,
    address: { socket_address: { address, port_value: NODE_PROXY_PORT } },
    listener_filters: [
      listenerFilter('original_dst', 'OriginalDst'),
      listenerFilter('original_src', 'OriginalSrc', { mark: PROXY_MARKS.from }),
    ],
    filter_chains: [{ filters: [connectionManager(config)] }],
  }
}

function connectionManager({ rbacFiles, watched }: NodeProxyConfig): Json {
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
      stat_prefix: 'l7',
      codec_type: 'AUTO',
      stream_idle_timeout: '0s',
      use_remote_address: true,
      skip_xff_append: true,
      generate_request_id: false,
      upgrade_configs: [{ upgrade_type: 'websocket' }],
      http_filters: [
        rbac('egress', rbacFiles.egress, watched),
        rbac('ingress', rbacFiles.ingress, watched),
        httpFilter('router', `${HTTP}.router.v3.Router`, { suppress_envoy_headers: true }),
      ],
      route_config: {
        name: 'original',
        virtual_hosts: [
          {
            name: 'any',
            domains: ['*'],
            routes: [{ match: { prefix: '/' }, route: { cluster: 'original', timeout: '0s' } }],
          },
        ],
      },
    },
  }
}

function rbac(direction: keyof typeof RBAC_FILTERS, path: string, watched: string): Json {
  return {
    name: RBAC_FILTERS[direction],
    config_discovery: {
      config_source: {
        path_config_source: { path, watched_directory: { path: watched } },
        resource_api_version: 'V3',
      },
      type_urls: ['type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC'],
    },
  }
}
