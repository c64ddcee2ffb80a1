/** A pod as policies see it. Pods of one identity have the same labels and port names. */
export interface Endpoint {
  /** Of this pod alone; not 0. */
  readonly id: number
  readonly name: string
  /** From 256 on. */
  readonly identity: number
  /** As in its manifest, without a source. */
  readonly labels: Readonly<Record<string, string>>
  /** `default` if it is left out. */
  readonly namespace?: string
  readonly addresses: readonly string[]
  readonly ports: readonly {
    readonly name: string
    readonly port: number
    readonly protocol?: 'TCP' | 'UDP' | 'SCTP'
  }[]
}

/** Who is there while policies are compiled. Everything else is the world. */
export interface World {
  readonly endpoints: readonly Endpoint[]
  readonly hostAddresses: readonly string[]
}

/** One connection (or datagram, or echo request) in the direction of who begins it. */
export interface Flow {
  readonly source: string
  readonly destination: string
  readonly protocol: 1 | 6 | 17 | 58 | 132
  /** Of the destination; 0 for ICMP. */
  readonly port: number
}

/** The node itself. */
export const HOST_IDENTITY = 1
/** What is neither a pod, nor the node, nor in a block that a policy names. */
export const WORLD_IDENTITY = 2
/** Blocks of addresses are numbered from here, as Cilium's local identities. */
export const FIRST_CIDR_IDENTITY = 1 << 24
