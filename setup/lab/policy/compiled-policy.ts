import type { CidrIdentity } from './cidr-identities.ts'
import type { Direction, HttpRule, IpProtocol } from './policy.ts'

/** What the data path's `policy.apply` takes, and what the proxy and the reports need beside it. */
export interface CompiledPolicy {
  readonly identities: readonly CidrIdentity[]
  readonly sets: readonly PolicySet[]
  readonly endpoints: readonly EndpointSets[]
  /** By number, from 1 on; described when somebody asks, which only a drop makes necessary. */
  readonly rules: () => readonly NumberedRule[]
  readonly l7: readonly L7Guard[]
  /** Policies that select no pod: they enforce nothing. */
  readonly unselected: readonly string[]
  /** Which policies deny by default, for a drop that no rule explains. */
  readonly defaultDeny: readonly {
    readonly endpoint: number
    readonly direction: Direction
    readonly policies: readonly string[]
  }[]
}

/** Named by its content: the same entries have the same name. */
export interface PolicySet {
  readonly name: string
  readonly entries: readonly PolicyEntry[]
}

export interface PolicyEntry {
  readonly direction: Direction
  /** 0 is everyone. */
  readonly identity: number
  /** 0 is every protocol. */
  readonly protocol: 0 | IpProtocol
  readonly port: number
  /** How many leading bits of the port must be the same. */
  readonly portBits: number
  readonly verdict: 'allow' | 'deny' | 'proxy'
  /** 0 where no rule says it: what a policy without default deny leaves open. */
  readonly rule: number
}

/** Names of sets; null: no policy in that direction, everything passes. */
export interface EndpointSets {
  readonly endpoint: number
  readonly ingress: string | null
  readonly egress: string | null
}

export interface NumberedRule {
  readonly rule: number
  /** `CiliumNetworkPolicy default/http-echo-l7` */
  readonly policy: string
  /** `spec.ingress[0].toPorts[0]` */
  readonly path: string
  /** `allow TCP 8080 from pods with app=client` */
  readonly description: string
}

/** Which flows of some pods go through the proxy in one direction, and what it lets through. */
export interface L7Guard {
  readonly direction: Direction
  /** The pods that the policies select, which share their rules. */
  readonly endpoints: readonly number[]
  readonly addresses: readonly string[]
  /** In order, without overlap. */
  readonly ports: readonly L7Ports[]
}

export interface L7Ports {
  readonly first: number
  readonly last: number
  /** Everyone whose flows to these ports the proxy judges. */
  readonly peers: AddressSet
  /** Everyone whose flows pass without being judged here: should they come to the proxy for the other side's sake, they pass too. */
  readonly open: AddressSet
  readonly rules: readonly { readonly rule: number; readonly peers: AddressSet; readonly http: readonly HttpRule[] }[]
}

/** The union of blocks with holes; `all` is every address. */
export type AddressSet = 'all' | readonly { readonly within: string | 'anywhere'; readonly except: readonly string[] }[]
