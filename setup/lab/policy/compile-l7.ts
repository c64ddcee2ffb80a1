import { comparePrefixes } from './address.ts'
import type { Prefix } from './address.ts'
import { knownPrefix } from './cidr-identities.ts'
import type { AddressSet, L7Ports, PolicyEntry } from './compiled-policy.ts'
import type { L7Rule } from './compile-set.ts'
import type { Identities } from './identities.ts'
import type { Direction } from './policy.ts'
import { PolicyMap } from './policy-map.ts'
import { HOST_IDENTITY, WORLD_IDENTITY } from './world.ts'
import type { World } from './world.ts'

/** What the proxy judges of one set's flows: the ports of its HTTP rules, cut where the answer changes, with the peers whose flows are diverted. */
export function compileL7(
  entries: readonly PolicyEntry[],
  l7: readonly L7Rule[],
  direction: Direction,
  identities: Identities,
  world: World,
): L7Ports[] {
  if (l7.length === 0) return []
  const map = new PolicyMap(entries)
  // The node is always let in, so its flows never come to the proxy.
  const everyone = identities.all.filter((identity) => direction === 'egress' || identity !== HOST_IDENTITY)
  const addresses = addressesOf(identities, world)
  const setOf = (members: ReadonlySet<number>): AddressSet =>
    everyone.every((identity) => members.has(identity)) ? 'all' : [...members].flatMap(addresses)
  const found: L7Ports[] = []
  for (const { first, last } of segments(entries, l7)) {
    const having = (verdict: PolicyEntry['verdict']): Set<number> =>
      new Set(everyone.filter((identity) => map.lookup(identity, 6, first)?.verdict === verdict))
    const guarded = having('proxy')
    if (guarded.size === 0) continue
    const rules = l7
      .filter((rule) => rule.first <= first && last <= rule.last)
      .map(({ rule, peers, http }) => ({
        rule,
        members: new Set([...guarded].filter((identity) => peers === 'any' || peers.has(identity))),
        http,
      }))
      .filter(({ members }) => members.size > 0)
    found.push({
      first,
      last,
      peers: setOf(guarded),
      open: setOf(having('allow')),
      rules: rules.map(({ rule, members, http }) => ({ rule, peers: setOf(members), http })),
    })
  }
  return found
}

/** Stretches of ports within which no entry begins or ends, as far as HTTP rules cover them. */
function segments(entries: readonly PolicyEntry[], l7: readonly L7Rule[]): { first: number; last: number }[] {
  const starts = new Set<number>()
  for (const { first, last } of l7) starts.add(first).add(last + 1)
  for (const { protocol, port, portBits } of entries) {
    if (protocol === 6) starts.add(port).add(port + 2 ** (16 - portBits))
  }
  const edges = [...starts].sort((a, b) => a - b)
  return edges.flatMap((first, index) => {
    const last = (edges[index + 1] ?? 65536) - 1
    return l7.some((rule) => rule.first <= first && last <= rule.last) ? [{ first, last }] : []
  })
}

type Block = Exclude<AddressSet, 'all'>[number]

/** Identity to addresses: a block lacks what has an identity of its own within it. */
function addressesOf({ cidrs }: Identities, world: World): (identity: number) => Block[] {
  const single = new Map<number, Block[]>()
  for (const { identity, addresses } of [
    { identity: HOST_IDENTITY, addresses: world.hostAddresses },
    ...world.endpoints,
  ]) {
    const own = addresses.map((address) => ({ within: knownPrefix(address).text, except: [] }))
    single.set(identity, [...(single.get(identity) ?? []), ...own])
  }
  const known = [...single.values()].flat().map(({ within }) => knownPrefix(within))
  const all = [...known, ...cidrs.blocks.map(({ prefix }) => prefix)].sort(comparePrefixes)
  const holes = directlyIn(all)
  const byIdentity = new Map(cidrs.blocks.map(({ prefix, identity }) => [identity, prefix]))
  return (identity) => {
    const prefix = byIdentity.get(identity)
    if (prefix) return [{ within: prefix.text, except: (holes.get(prefix.text) ?? []).map(({ text }) => text) }]
    if (identity === WORLD_IDENTITY) {
      return [{ within: 'anywhere', except: (holes.get('anywhere') ?? []).map(({ text }) => text) }]
    }
    return single.get(identity) ?? []
  }
}

/** For every block of the sorted list, and `anywhere`, the largest blocks within it. */
function directlyIn(sorted: readonly Prefix[]): Map<string, Prefix[]> {
  const children = new Map<string, Prefix[]>()
  const open: Prefix[] = []
  for (const prefix of sorted) {
    for (let top = open.at(-1); top && (top.family !== prefix.family || top.last < prefix.first); top = open.at(-1)) {
      open.pop()
    }
    const parent = open.at(-1)?.text ?? 'anywhere'
    if (parent === prefix.text) continue
    const siblings = children.get(parent)
    if (siblings) siblings.push(prefix)
    else children.set(parent, [prefix])
    open.push(prefix)
  }
  return children
}
