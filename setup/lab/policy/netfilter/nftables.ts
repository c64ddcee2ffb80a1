import { formatAddress } from '../address.ts'
import type { IpProtocol, Policy } from '../policy.ts'
import type { World } from '../world.ts'
import { disjoint, mergePorts, mergeRanges, rangesOf } from './disjoint.ts'
import type { Ports, Range } from './disjoint.ts'
import { filterChains } from './filter-chains.ts'
import type { FilterChain, FilterRule } from './filter-chains.ts'

const PROTOCOLS = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmpv6', 132: 'sctp' } as const

/**
 * An nftables file for a node that routes between its pods: table `meshmark_policy`, which it replaces. Rules become
 * elements of sets, so that a packet costs some lookups, however many rules there are. Established connections are accepted first.
 * @throws LabError for HTTP rules.
 */
export function nftablesRules(policies: readonly Policy[], world: World, family: 4 | 6 = 4): string {
  const chains = filterChains(policies, world, family)
  const ip = family === 4 ? 'ip' : 'ip6'
  const dispatch = (direction: FilterChain['direction'], field: 'saddr' | 'daddr'): string[] => {
    const elements = chains
      .filter((chain) => chain.direction === direction)
      .flatMap((chain) => chain.addresses.map(({ first }) => `${formatAddress(family, first)} : jump ${nameOf(chain)}`))
    return elements.length === 0 ? [] : [`    ${ip} ${field} vmap { ${elements.join(', ')} }`]
  }
  const written = chains.map((chain) => writeChain(chain, family))
  return [
    `table ${ip} meshmark_policy`,
    `delete table ${ip} meshmark_policy`,
    `table ${ip} meshmark_policy {`,
    ...written.flatMap(({ sets }) => sets),
    ...written.flatMap(({ rules }) => rules),
    '  chain forward {',
    '    type filter hook forward priority filter; policy accept;',
    '    ct state established,related accept',
    // Egress before ingress: a packet between two pods has to pass both.
    ...dispatch('egress', 'saddr'),
    ...dispatch('ingress', 'daddr'),
    '  }',
    // What a pod sends to the node; what the node sends to its pods is always let through.
    '  chain input {',
    '    type filter hook input priority filter; policy accept;',
    '    ct state established,related accept',
    ...dispatch('egress', 'saddr'),
    '  }',
    '}',
    '',
  ].join('\n')
}

function nameOf({ direction, endpoint }: FilterChain): string {
  return `${direction === 'ingress' ? 'in' : 'out'}_${endpoint.id}`
}

function writeChain(chain: FilterChain, family: 4 | 6): { sets: string[]; rules: string[] } {
  const name = nameOf(chain)
  const sets: string[] = []
  const matches = (rules: readonly FilterRule[], verdict: 'deny' | 'allow'): string[] =>
    setsOf(rules, chain.direction, family).map(({ kind, type, match, elements, interval }) => {
      if (elements.length === 0) return ''
      const set = `${name}_${verdict}_${kind}`
      sets.push(
        `  set ${set} {`,
        `    type ${type}`,
        ...(interval ? ['    flags interval'] : []),
        '    elements = {',
        ...elements.map((element) => `      ${element},`),
        '    }',
        '  }',
      )
      return `${match} @${set} `
    })
  const rules = [
    `  chain ${name} {`,
    ...lines(chain.deny, matches(chain.deny, 'deny'), 'counter drop'),
    ...lines(chain.allow, matches(chain.allow, 'allow'), 'return'),
    ...(chain.defaultDeny ? ['    counter drop'] : []),
    '  }',
  ]
  return { sets, rules }
}

function lines(rules: readonly FilterRule[], matches: readonly string[], verdict: string): string[] {
  // A rule for everyone and everything needs no set.
  if (rules.some(({ peers, protocol }) => peers === 'any' && protocol === 0)) return [`    ${verdict}`]
  return matches.filter((match) => match !== '').map((match) => `    ${match}${verdict}`)
}

interface SetContent {
  readonly kind: 'peers' | 'ports' | 'flows'
  readonly type: string
  readonly match: string
  readonly elements: readonly string[]
  readonly interval: boolean
}

/** Rules by what they name: only peers, only ports, or both. */
function setsOf(rules: readonly FilterRule[], direction: FilterChain['direction'], family: 4 | 6): SetContent[] {
  const address = `${family === 4 ? 'ip' : 'ip6'} ${direction === 'ingress' ? 'saddr' : 'daddr'}`
  const addressType = family === 4 ? 'ipv4_addr' : 'ipv6_addr'
  const showRange = ({ first, last }: Range): string =>
    first === last ? formatAddress(family, first) : `${formatAddress(family, first)}-${formatAddress(family, last)}`
  const peers = mergeRanges(
    rules.flatMap((rule) => (rule.protocol === 0 && rule.peers !== 'any' ? rule.peers.flatMap(rangesOf) : [])),
  )
  const protocols = [...new Set(rules.map(({ protocol }) => protocol))].filter((protocol) => protocol !== 0)
  const ports = protocols.flatMap((protocol) =>
    mergePorts(rules.filter((rule) => rule.protocol === protocol && rule.peers === 'any')).map((range) => ({
      protocol,
      range,
    })),
  )
  const flows = protocols.flatMap((protocol) =>
    disjoint(
      rules.flatMap((rule) =>
        rule.protocol === protocol && rule.peers !== 'any'
          ? rule.peers.flatMap(rangesOf).map((range) => ({ range, ports: { first: rule.first, last: rule.last } }))
          : [],
      ),
    ).map((rectangle) => ({ ...rectangle, protocol })),
  )
  return [
    {
      kind: 'peers',
      type: addressType,
      match: address,
      elements: peers.map(showRange),
      interval: peers.some(({ first, last }) => first !== last),
    },
    {
      kind: 'ports',
      type: 'inet_proto . inet_service',
      match: 'meta l4proto . th dport',
      elements: ports.map(({ protocol, range }) => `${showProtocol(protocol)} . ${showPorts(range)}`),
      interval: ports.some(({ range }) => range.first !== range.last),
    },
    {
      kind: 'flows',
      type: `${addressType} . inet_proto . inet_service`,
      match: `${address} . meta l4proto . th dport`,
      elements: flows.map(
        ({ range, protocol, ports }) => `${showRange(range)} . ${showProtocol(protocol)} . ${showPorts(ports)}`,
      ),
      interval: flows.some(({ range, ports }) => range.first !== range.last || ports.first !== ports.last),
    },
  ]
}

function showProtocol(protocol: IpProtocol): string {
  return PROTOCOLS[protocol]
}

function showPorts({ first, last }: Ports): string {
  return first === last ? String(first) : `${first}-${last}`
}
