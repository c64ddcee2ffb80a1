/** Fields of Cilium's policies that the lab can't enforce, and why: refused by name, never passed over. */
export const IN_SPEC = {
  nodeSelector: "host policies are not in the lab: its node's own traffic is not filtered",
  log: 'the lab keeps no policy log',
} as const

const NO_DNS_PROXY = 'the lab has no DNS proxy to learn names from; write toCIDR'
const NO_REQUIRES = 'write the requirement into the selectors themselves'

export const IN_RULES = {
  toFQDNs: NO_DNS_PROXY,
  toServices: 'a service of the lab is its pods; write toEndpoints',
  toGroups: "there is no cloud provider's group in the lab; write toCIDR",
  fromGroups: "there is no cloud provider's group in the lab; write fromCIDR",
  fromNodes: 'the lab has one node; write fromEntities: [host]',
  toNodes: 'the lab has one node; write toEntities: [host]',
  icmps: "the lab's path knows no ICMP types; a rule without toPorts allows ICMP with everything else",
  authentication: 'there is no SPIRE in the lab',
  fromRequires: NO_REQUIRES,
  toRequires: NO_REQUIRES,
} as const

export const IN_PORTS = {
  terminatingTLS: "the lab's proxy doesn't end TLS",
  originatingTLS: "the lab's proxy doesn't begin TLS",
  serverNames: "the lab's proxy doesn't read TLS server names",
  listener: 'there is no CiliumEnvoyConfig in the lab',
} as const

/** Entities of Cilium that nobody in the lab is. */
export const OTHER_ENTITIES: readonly string[] = [
  'remote-node',
  'kube-apiserver',
  'ingress',
  'init',
  'health',
  'unmanaged',
  'none',
  'world-ipv4',
  'world-ipv6',
]
