/** What the loader of the data path is asked and answers: one JSON line each way (probes/datapath). */

export type Direction = 'ingress' | 'egress'
export type Verdict = 'allow' | 'deny' | 'proxy'

/** A row of a policy set; `identity` 0 and `protocol` 0 stand for any. */
export interface PolicyEntry {
  readonly direction: Direction
  readonly identity: number
  /** IP protocol number. */
  readonly protocol: number
  /** First port of the block; `portBits` leading bits of it count (16: this port, 0: every port). */
  readonly port: number
  readonly portBits: number
  readonly verdict: Verdict
  /** Number that counters and drops name the rule by. */
  readonly rule: number
}

/** The whole state that is wanted: the loader works out the difference and applies it without a gap. */
export interface DesiredPolicies {
  readonly identities: readonly { readonly prefix: string; readonly identity: number }[]
  readonly sets: readonly { readonly name: string; readonly entries: readonly PolicyEntry[] }[]
  readonly endpoints: readonly {
    readonly endpoint: number
    readonly ingress: string | null
    readonly egress: string | null
  }[]
  /** Where flows with verdict `proxy` go, in the node's namespace. */
  readonly proxy: { readonly address4: string; readonly address6: string; readonly port: number } | null
}

export interface EndpointRequest {
  /** Node's end of the pod's veth. */
  readonly device: string
  readonly endpoint: number
  readonly identity: number
  /** Its own addresses; for `world` the prefixes behind it. */
  readonly addresses: readonly string[]
  readonly world?: boolean
}

export interface Backend {
  readonly address: string
  readonly port: number
  readonly weight: number
}

export interface ServiceRequest {
  readonly address: string
  readonly port: number
  /** IP protocol number. */
  readonly protocol: number
  readonly backends: readonly Backend[]
}

export interface Operations {
  'endpoint.add': { request: EndpointRequest; answer: unknown }
  'endpoint.remove': { request: { readonly endpoint: number }; answer: unknown }
  'policy.apply': { request: DesiredPolicies; answer: unknown }
  'service.set': { request: ServiceRequest; answer: unknown }
  'service.remove': { request: Omit<ServiceRequest, 'backends'>; answer: unknown }
  counters: { request: object; answer: unknown }
  maps: { request: object; answer: unknown }
  programs: { request: object; answer: unknown }
  stats: { request: { readonly on: boolean }; answer: unknown }
  conntrack: { request: object; answer: unknown }
}
export type Operation = keyof Operations
