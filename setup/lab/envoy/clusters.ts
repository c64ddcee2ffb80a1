import type { Json } from './json.ts'

/** What Istio sets instead of Envoy's 1,024: a bench with many connections must not meet a circuit breaker. */
const NO_LIMIT = 4294967295

/** A cluster that connects to where the client wanted to go, as Istio's inbound and passthrough clusters do. */
export function tcpCluster(name: string, more: { readonly [name: string]: Json }): Json {
  return {
    name,
    type: 'ORIGINAL_DST',
    lb_policy: 'CLUSTER_PROVIDED',
    connect_timeout: '10s',
    circuit_breakers: {
      thresholds: [
        { max_connections: NO_LIMIT, max_pending_requests: NO_LIMIT, max_requests: NO_LIMIT, max_retries: NO_LIMIT },
      ],
    },
    // Envoy forgets a destination that nothing was sent to for 5 s and closes its connections: an arm that waits for its
    // turn would pay a handshake. Istio sets the largest duration.
    cleanup_interval: '9223372035s',
    ...more,
  }
}
