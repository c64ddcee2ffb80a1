import { INBOUND_PORT, OUTBOUND_PORT } from '../proxy-ports.ts'
import { httpConnectionManager } from './http-filters.ts'
import { tcpCluster } from './clusters.ts'
import type { Json } from './json.ts'
import { listenerFilter } from './listener-filter.ts'
import { mutualTls } from './mutual-tls.ts'
import type { TlsFiles } from './mutual-tls.ts'

export interface ProxyConfig {
  readonly name: string
  readonly adminSocket: string
  readonly tls: TlsFiles
  /** The pod serves something: plaintext is refused, mutual TLS ends here. */
  readonly inbound: boolean
}

/**
 * Envoy's bootstrap for one sidecar, shaped as Istio 1.31 configures its own (`istioctl proxy-config`), with static
 * resources instead of xDS and files instead of SDS.
 */
export function bootstrapConfig({ name, adminSocket, tls, inbound }: ProxyConfig): Json {
  return {
    node: { id: name, cluster: 'meshmark' },
    admin: { address: { pipe: { path: adminSocket } } },
    static_resources: {
      listeners: [outboundListener(), ...(inbound ? [inboundListener(tls)] : [])],
      clusters: [
        tcpCluster('outbound', { transport_socket: mutualTls('upstream', tls) }),
        // The app sees 127.0.0.6, as behind Istio: this source tells the proxy's own connections from redirected ones.
        ...(inbound
          ? [
              tcpCluster('inbound', {
                upstream_bind_config: { source_address: { address: '127.0.0.6', port_value: 0 } },
              }),
            ]
          : []),
      ],
    },
  }
}

function outboundListener(): Json {
  return {
    name: 'virtualOutbound',
    traffic_direction: 'OUTBOUND',
    address: { socket_address: { address: '0.0.0.0', port_value: OUTBOUND_PORT } },
    listener_filters: [listenerFilter('original_dst', 'OriginalDst')],
    filter_chains: [{ filters: [httpConnectionManager('outbound')] }],
  }
}

function inboundListener(tls: TlsFiles): Json {
  return {
    name: 'virtualInbound',
    traffic_direction: 'INBOUND',
    address: { socket_address: { address: '0.0.0.0', port_value: INBOUND_PORT } },
    listener_filters: [listenerFilter('original_dst', 'OriginalDst'), listenerFilter('tls_inspector', 'TlsInspector')],
    listener_filters_timeout: '0s',
    continue_on_listener_filters_timeout: true,
    // STRICT: there is no chain for plaintext, so such a connection is closed.
    filter_chains: [
      {
        filter_chain_match: { transport_protocol: 'tls' },
        transport_socket: mutualTls('downstream', tls),
        filters: [httpConnectionManager('inbound')],
      },
    ],
  }
}
