import { LabError } from '../lab-error.ts'
import type { PolicyEntry } from './compiled-policy.ts'
import type { Identities } from './identities.ts'
import { peersOfRule } from './identities.ts'
import { namedPorts } from './named-ports.ts'
import type { Direction, HttpRule, IpProtocol, PortRange, PortRule, Rule } from './policy.ts'
import { entryKey, stronger } from './policy-map.ts'
import { otherPorts, portBlocks } from './port-blocks.ts'
import type { Endpoint, World } from './world.ts'

/** A rule's number; one for each of its lists of ports, or one for all where it has none. */
export type RuleNumbers = ReadonlyMap<Rule | PortRule, number>

/** An HTTP rule of a set: whose flows to which ports it judges. */
export interface L7Rule {
  readonly rule: number
  readonly peers: 'any' | ReadonlySet<number>
  readonly first: number
  readonly last: number
  readonly http: readonly HttpRule[]
}

interface Reach {
  readonly peers: 'any' | ReadonlySet<number>
  readonly protocol: 0 | IpProtocol
  readonly first: number
  readonly last: number
}

/**
 * The entries for pods with the same rules in one direction. `endpoint` is one of them, for the names of its ports.
 * `defaultDeny` false leaves open what no rule denies and no HTTP rule guards.
 */
export function compileSet(
  rules: readonly Rule[],
  direction: Direction,
  defaultDeny: boolean,
  context: {
    readonly endpoint: Endpoint
    readonly world: World
    readonly identities: Identities
    readonly numbers: RuleNumbers
  },
): { entries: PolicyEntry[]; l7: L7Rule[] } {
  const entries = new Map<number, PolicyEntry>()
  const l7: L7Rule[] = []
  const { identities } = context

  function add({ peers, protocol, first, last }: Reach, verdict: PolicyEntry['verdict'], rule: number): void {
    const blocks = portBlocks(first, last)
    for (const identity of peers === 'any' ? [0] : peers) {
      for (const { port, bits } of blocks) {
        const key = entryKey(identity, protocol, port, bits)
        const there = entries.get(key)
        if (there && !stronger(verdict, there.verdict)) continue
        entries.set(key, { direction, identity, protocol, port, portBits: bits, verdict, rule })
      }
    }
  }

  for (const rule of rules) {
    const peers = peersOfRule(rule, identities)
    if (rule.ports === 'any') {
      add({ peers, protocol: 0, first: 0, last: 65535 }, rule.verdict, context.numbers.get(rule) ?? 0)
      continue
    }
    for (const portRule of rule.ports) {
      const number = context.numbers.get(portRule) ?? 0
      for (const reach of portRule.ports.flatMap((range) => reachOf(range, peers, direction, context))) {
        if (portRule.http && rule.verdict === 'allow') {
          add(reach, 'proxy', number)
          l7.push({ rule: number, peers: reach.peers, first: reach.first, last: reach.last, http: portRule.http })
        } else add(reach, rule.verdict, number)
      }
    }
  }
  if (!defaultDeny) for (const reach of leftOpen(l7, identities)) add(reach, 'allow', 0)
  return { entries: [...entries.values()], l7 }
}

function reachOf(
  range: PortRange,
  peers: 'any' | ReadonlySet<number>,
  direction: Direction,
  { endpoint, world }: { readonly endpoint: Endpoint; readonly world: World },
): Reach[] {
  const { ports } = range
  if (!('name' in ports)) return range.protocols.map((protocol) => ({ peers, protocol, ...ports }))
  // A name is the receiver's: the pod's own on ingress, each peer's on egress; only pods have any.
  if (direction === 'ingress') {
    return namedPorts(range, endpoint).map(({ protocol, port }) => ({ peers, protocol, first: port, last: port }))
  }
  const byIdentity = new Map<number, { text: string; reaches: Reach[] }>()
  for (const pod of world.endpoints) {
    if (peers !== 'any' && !peers.has(pod.identity)) continue
    const found = namedPorts(range, pod)
    const text = JSON.stringify(found)
    const other = byIdentity.get(pod.identity)
    if (other && other.text !== text) {
      throw new LabError(
        `Port "${ports.name}" is not the same in all pods of ${pod.name}'s identity, so a rule can't name it: write its number.`,
      )
    }
    byIdentity.set(pod.identity, {
      text,
      reaches: found.map(({ protocol, port }) => ({
        peers: new Set([pod.identity]),
        protocol,
        first: port,
        last: port,
      })),
    })
  }
  return [...byIdentity.values()].flatMap(({ reaches }) => reaches)
}

/**
 * Everything, except where an HTTP rule guards: "EnableDefaultDeny does not apply to layer-7 policy" (Cilium, Policy
 * Enforcement Modes). An allow beats the proxy in the map, so here it goes around the guarded ports, identity by identity.
 */
function leftOpen(l7: readonly L7Rule[], { all }: Identities): Reach[] {
  if (l7.length === 0) return [{ peers: 'any', protocol: 0, first: 0, last: 65535 }]
  const reaches: Reach[] = ([1, 17, 58, 132] as const).map((protocol) => ({
    peers: 'any',
    protocol,
    first: 0,
    last: 65535,
  }))
  const unguarded = otherPorts(l7)
  reaches.push(...unguarded.map((range) => ({ peers: 'any', protocol: 6, ...range }) as const))
  for (const identity of all) {
    const own = l7.filter(({ peers }) => peers === 'any' || peers.has(identity))
    if (own.length === l7.length) continue
    const peers = new Set([identity])
    reaches.push(...otherPorts(own).map((range) => ({ peers, protocol: 6, ...range }) as const))
  }
  return reaches
}
