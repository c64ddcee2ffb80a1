import type { Prefix } from './address.ts'

/** A policy as it was read: every default of its kind is spelled out, so that its meaning needs no further knowledge of the kind. */
export interface Policy {
  readonly kind: 'CiliumNetworkPolicy' | 'CiliumClusterwideNetworkPolicy' | 'NetworkPolicy'
  readonly name: string
  /** Undefined for a policy of the whole cluster. */
  readonly namespace: string | undefined
  /** `policies.yaml:3:1`, for messages. */
  readonly source: string
  readonly specs: readonly PolicySpec[]
}

export interface PolicySpec {
  /** `spec`, `specs[1]` */
  readonly path: string
  /** The pods that it is about. */
  readonly selector: Selector
  readonly ingress: DirectionRules
  readonly egress: DirectionRules
}

export type Direction = 'ingress' | 'egress'

export interface DirectionRules {
  /** Whether what no rule allows is denied to the selected pods in this direction. */
  readonly defaultDeny: boolean
  readonly rules: readonly Rule[]
}

/** Matches when one of the peers and one of the ports match. */
export interface Rule {
  readonly verdict: 'allow' | 'deny'
  /** `spec.ingress[0]` */
  readonly path: string
  /** `any` is everyone; an empty list is nobody. */
  readonly peers: 'any' | readonly Peer[]
  /** `any` is every port of every protocol. */
  readonly ports: 'any' | readonly PortRule[]
}

export type Peer =
  | { readonly kind: 'endpoints'; readonly selector: Selector }
  | { readonly kind: 'cidr'; readonly prefix: Prefix; readonly except: readonly Prefix[] }
  | { readonly kind: 'entity'; readonly entity: Entity }

export type Entity = 'world' | 'host' | 'cluster' | 'all'

export interface PortRule {
  /** `spec.ingress[0].toPorts[0]` */
  readonly path: string
  readonly ports: readonly PortRange[]
  /** Requests that are let through; undefined: all, without a proxy. */
  readonly http: readonly HttpRule[] | undefined
}

/** IP protocol numbers: ICMP, TCP, UDP, ICMPv6, SCTP. */
export type IpProtocol = 1 | 6 | 17 | 58 | 132

export interface PortRange {
  readonly protocols: readonly IpProtocol[]
  /** Numbers, both ends included (0 to 65535 is every port), or the name that a container gives its port. */
  readonly ports: { readonly first: number; readonly last: number } | { readonly name: string }
}

/** All parts must match; each is matched against the whole value. */
export interface HttpRule {
  readonly method: Re2 | undefined
  /** Against path and query. */
  readonly path: Re2 | undefined
  /** Against the host header. */
  readonly host: Re2 | undefined
  /** Names in lower case; no value: being there is enough. */
  readonly headers: readonly { readonly name: string; readonly value: string | undefined }[]
}

/** A regular expression that RE2 takes. */
export interface Re2 {
  readonly source: string
  /** The same for JavaScript's RegExp (flag `u`), for predictions; anchored at both ends. */
  readonly javascript: string
}

/** All requirements must hold. */
export interface Selector {
  readonly requirements: readonly Requirement[]
}

export interface Requirement {
  /** `any`: whatever the label's source. Pods have labels of source `k8s`; the host and the world have `reserved` ones. */
  readonly source: 'any' | 'k8s' | 'reserved'
  readonly key: string
  /** NotIn and DoesNotExist hold where there is no such label. */
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  readonly values: readonly string[]
}
