import { BlockList, isIPv4 } from 'node:net'
import type { Direction, HttpRule, Peer, Policy, PortRange, Rule, Selector } from './policy.ts'
import type { Endpoint, Flow, World } from './world.ts'

/** `http`: only requests that one of the rules of each named direction matches. */
export type OracleVerdict =
  | { readonly verdict: 'allow' | 'deny' }
  | {
      readonly verdict: 'http'
      readonly egress: readonly HttpRule[] | undefined
      readonly ingress: readonly HttpRule[] | undefined
    }

type SideVerdict = 'allow' | 'deny' | readonly HttpRule[]

/**
 * What policies mean for one flow, straight from their words: no maps, no identities, and nothing of the compiler, which
 * is tested against this. Slow: it reads every rule for every flow.
 */
export function verdictOf(policies: readonly Policy[], world: World, flow: Flow): OracleVerdict {
  const source = whoIs(world, flow.source)
  const destination = whoIs(world, flow.destination)
  const egress = sideVerdict(policies, 'egress', source, destination, flow)
  // The node may always reach its pods.
  const ingress = source.kind === 'host' ? 'allow' : sideVerdict(policies, 'ingress', destination, source, flow)
  if (egress === 'deny' || ingress === 'deny') return { verdict: 'deny' }
  if (egress === 'allow' && ingress === 'allow') return { verdict: 'allow' }
  return {
    verdict: 'http',
    egress: egress === 'allow' ? undefined : egress,
    ingress: ingress === 'allow' ? undefined : ingress,
  }
}

type Party =
  | { readonly kind: 'pod'; readonly endpoint: Endpoint }
  | { readonly kind: 'host' | 'world'; readonly address: string }

function whoIs(world: World, address: string): Party {
  const endpoint = world.endpoints.find(({ addresses }) => addresses.some((own) => isIn(address, own)))
  if (endpoint) return { kind: 'pod', endpoint }
  return { kind: world.hostAddresses.some((own) => isIn(address, own)) ? 'host' : 'world', address }
}

function sideVerdict(
  policies: readonly Policy[],
  direction: Direction,
  subject: Party,
  peer: Party,
  flow: Flow,
): SideVerdict {
  if (subject.kind !== 'pod') return 'allow'
  const specs = policies.flatMap((policy) => policy.specs).filter((spec) => selects(spec.selector, subject))
  const matching = specs
    .flatMap((spec) => spec[direction].rules)
    .flatMap((rule) => matchesOf(rule, direction, subject.endpoint, peer, flow))
  if (matching.some(({ verdict }) => verdict === 'deny')) return 'deny'
  if (matching.some(({ http }) => http === undefined)) return 'allow'
  const http = matching.flatMap(({ http }) => http ?? [])
  if (http.length > 0) return http
  return specs.some((spec) => spec[direction].defaultDeny) ? 'deny' : 'allow'
}

interface Match {
  readonly verdict: Rule['verdict']
  readonly http: readonly HttpRule[] | undefined
}

function matchesOf(rule: Rule, direction: Direction, subject: Endpoint, peer: Party, flow: Flow): Match[] {
  if (rule.peers !== 'any' && !rule.peers.some((candidate) => isPeer(candidate, peer))) return []
  if (rule.ports === 'any') return [{ verdict: rule.verdict, http: undefined }]
  const receiver = direction === 'ingress' ? subject : peer.kind === 'pod' ? peer.endpoint : undefined
  return rule.ports
    .filter(({ ports }) => ports.some((range) => isPort(range, receiver, flow)))
    .map(({ http }) => ({ verdict: rule.verdict, http }))
}

function isPort(range: PortRange, receiver: Endpoint | undefined, { protocol, port }: Flow): boolean {
  if (!range.protocols.includes(protocol)) return false
  if ('first' in range.ports) return range.ports.first <= port && port <= range.ports.last
  const { name } = range.ports
  const number = { TCP: 6, UDP: 17, SCTP: 132 }
  return Boolean(
    receiver?.ports.some(
      (one) => one.name.toLowerCase() === name && number[one.protocol ?? 'TCP'] === protocol && one.port === port,
    ),
  )
}

function isPeer(peer: Peer, party: Party): boolean {
  switch (peer.kind) {
    case 'endpoints':
      return selects(peer.selector, party)
    case 'cidr':
      // "CIDR rules do not apply to traffic where both sides are managed by Cilium", nor to the node.
      return (
        party.kind === 'world' &&
        isIn(party.address, peer.prefix.text) &&
        !peer.except.some((hole) => isIn(party.address, hole.text))
      )
    case 'entity':
      return (
        peer.entity === 'all' || peer.entity === party.kind || (peer.entity === 'cluster' && party.kind !== 'world')
      )
  }
}

/** Labels with their source before a colon. */
function labelsOf(party: Party): Map<string, string> {
  if (party.kind !== 'pod') return new Map([[`reserved:${party.kind}`, '']])
  const namespace = party.endpoint.namespace ?? 'default'
  return new Map([
    ...Object.entries(party.endpoint.labels).map(([key, value]): [string, string] => [`k8s:${key}`, value]),
    ['k8s:io.kubernetes.pod.namespace', namespace],
    ['k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name', namespace],
  ])
}

function selects({ requirements }: Selector, party: Party): boolean {
  const labels = labelsOf(party)
  for (const { source, key, operator, values } of requirements) {
    const names = source === 'any' ? [`k8s:${key}`, `reserved:${key}`] : [`${source}:${key}`]
    const name = names.find((candidate) => labels.has(candidate))
    const value = name === undefined ? undefined : labels.get(name)
    const there = name !== undefined
    const listed = value !== undefined && values.includes(value)
    const holds = { In: listed, NotIn: !listed, Exists: there, DoesNotExist: !there }[operator]
    if (!holds) return false
  }
  return true
}

const lists = new Map<string, BlockList>()

/** Whether an address is in a block, or the same as an address. Node's own arithmetic, not the compiler's. */
function isIn(address: string, block: string): boolean {
  let list = lists.get(block)
  if (!list) {
    list = new BlockList()
    const [start = '', length] = block.split('/')
    const family = isIPv4(start) ? 'ipv4' : 'ipv6'
    list.addSubnet(start, Number(length ?? (family === 'ipv4' ? 32 : 128)), family)
    lists.set(block, list)
  }
  // An IPv6 block never holds an IPv4 address here, though ::/0 would for BlockList.
  return isIPv4(address) === isIPv4(block.split('/')[0] ?? '') && list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
}
