/** A flow that is tried from a pod: a TCP connection, one HTTP request over it, or a UDP datagram. */
export interface Flow {
  readonly host: string
  readonly port: number
  /** A datagram instead: without a server, an ICMP error says that it arrived. */
  readonly udp?: true
  readonly http?: {
    readonly method: string
    readonly path: string
    readonly headers?: Readonly<Record<string, string>>
  }
}

/** What became of it. `answered` has a status where HTTP was spoken. */
export type FlowResult =
  | { readonly kind: 'answered'; readonly status: number | null }
  /** A reset or an ICMP error came back at once. */
  | { readonly kind: 'refused'; readonly message: string }
  /** Nothing came back: what a dropped packet looks like. */
  | { readonly kind: 'silent' }

/** In words, for errors: `was answered with 403`. */
export function describeResult(result: FlowResult): string {
  if (result.kind === 'answered') return result.status === null ? 'was connected' : `was answered with ${result.status}`
  return result.kind === 'refused' ? `was refused (${result.message})` : 'got no answer'
}

/** The workload answered. `403` is an L7 rule's word. */
export function isLetThrough(result: FlowResult): boolean {
  return result.kind === 'answered' && result.status !== 403
}

/**
 * A policy has stopped it: everything that enforces one in the lab drops without a word, or answers 403. A refusal is neither this nor
 * let through: the flow has arrived where nobody listens, or there is no way there.
 */
export function isStopped(result: FlowResult): boolean {
  return result.kind === 'silent' || (result.kind === 'answered' && result.status === 403)
}
