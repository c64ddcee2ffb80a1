import { LabError } from '../../lab-error.ts'
import { contains } from '../address.ts'
import type { Prefix } from '../address.ts'
import { knownPrefix } from '../cidr-identities.ts'
import { HOST_LABELS, labelsOf, matches, WORLD_LABELS } from '../match-labels.ts'
import { namedPorts } from '../named-ports.ts'
import { idOf } from '../parse.ts'
import type { Direction, IpProtocol, Peer, Policy, PortRange, Rule } from '../policy.ts'
import type { Endpoint, World } from '../world.ts'

/** What one pod's policies say in one direction, in addresses instead of labels. */
export interface FilterChain {
  readonly endpoint: Endpoint
  readonly direction: Direction
  readonly addresses: readonly Prefix[]
  /** False: what no rule denies passes. */
  readonly defaultDeny: boolean
  readonly deny: readonly FilterRule[]
  readonly allow: readonly FilterRule[]
}

export interface FilterRule {
  readonly peers: 'any' | readonly Block[]
  /** 0 is every protocol. */
  readonly protocol: 0 | IpProtocol
  readonly first: number
  readonly last: number
}

/** Addresses in `within` but in none of `except`, which lie in it and apart from each other. */
export interface Block {
  readonly within: Prefix
  readonly except: readonly Prefix[]
}

/**
 * A chain for each pod and direction that policies speak of, with the addresses of one family.
 * @throws LabError for HTTP rules: a packet filter can't read requests.
 */
export function filterChains(policies: readonly Policy[], world: World, family: 4 | 6): FilterChain[] {
  const known = new KnownAddresses(world, family)
  const specs = policies.flatMap((policy) => policy.specs.map((spec) => ({ policy, spec })))
  return world.endpoints.flatMap((endpoint) => {
    const labels = labelsOf(endpoint)
    const own = specs.filter(({ spec }) => matches(spec.selector, labels))
    const addresses = known.of(endpoint.addresses)
    if (addresses.length === 0) return []
    return (['egress', 'ingress'] as const).flatMap((direction): FilterChain[] => {
      const rules = own.flatMap(({ policy, spec }) => spec[direction].rules.map((rule) => ({ policy, rule })))
      const defaultDeny = own.some(({ spec }) => spec[direction].defaultDeny)
      if (!defaultDeny && rules.length === 0) return []
      const filter = (verdict: Rule['verdict']): FilterRule[] =>
        rules
          .filter(({ rule }) => rule.verdict === verdict)
          .flatMap(({ policy, rule }) => filterRules(policy, rule, { endpoint, direction, world, known }))
      return [{ endpoint, direction, addresses, defaultDeny, deny: filter('deny'), allow: filter('allow') }]
    })
  })
}

interface Context {
  readonly endpoint: Endpoint
  readonly direction: Direction
  readonly world: World
  readonly known: KnownAddresses
}

function filterRules(policy: Policy, rule: Rule, context: Context): FilterRule[] {
  const { known } = context
  const all = rule.peers !== 'any' && rule.peers.some((peer) => peer.kind === 'entity' && peer.entity === 'all')
  const peers = rule.peers === 'any' || all ? 'any' : rule.peers.flatMap((peer) => known.blocksOf(peer))
  if (peers !== 'any' && peers.length === 0) return []
  if (rule.ports === 'any') return [{ peers, protocol: 0, first: 0, last: 65535 }]
  return rule.ports.flatMap(({ path, http, ports }) => {
    if (http) {
      throw new LabError(
        `${policy.source}: ${path}.rules: a packet filter can't read HTTP, so ${idOf(policy)} has no twin in iptables or nftables. Leave rules out, or compare with the data path only.`,
      )
    }
    return ports.flatMap((range) => portRules(range, peers, context))
  })
}

function portRules(
  range: PortRange,
  peers: FilterRule['peers'],
  { endpoint, direction, world, known }: Context,
): FilterRule[] {
  const { ports } = range
  if (!('name' in ports)) return range.protocols.map((protocol) => ({ peers, protocol, ...ports }))
  if (direction === 'ingress') {
    return namedPorts(range, endpoint).map(({ protocol, port }) => ({ peers, protocol, first: port, last: port }))
  }
  // The name is the peer's: a rule for each pod that has it.
  return world.endpoints.flatMap((pod) => {
    const addresses = known
      .of(pod.addresses)
      .filter((address) => peers === 'any' || peers.some(({ within }) => within.text === address.text))
    if (addresses.length === 0) return []
    const blocks = addresses.map((within): Block => ({ within, except: [] }))
    return namedPorts(range, pod).map(({ protocol, port }) => ({ peers: blocks, protocol, first: port, last: port }))
  })
}

/** Who has which address of one family. */
class KnownAddresses {
  readonly #world: World
  readonly #family: 4 | 6
  readonly #all: readonly Prefix[]

  constructor(world: World, family: 4 | 6) {
    this.#world = world
    this.#family = family
    this.#all = this.of([...world.hostAddresses, ...world.endpoints.flatMap(({ addresses }) => addresses)])
  }

  of(addresses: readonly string[]): Prefix[] {
    return addresses.map(knownPrefix).filter(({ family }) => family === this.#family)
  }

  blocksOf(peer: Peer): Block[] {
    const { endpoints, hostAddresses } = this.#world
    const single = (addresses: readonly string[]): Block[] =>
      this.of(addresses).map((within) => ({ within, except: [] }))
    switch (peer.kind) {
      case 'endpoints':
        return [
          ...endpoints
            .filter((endpoint) => matches(peer.selector, labelsOf(endpoint)))
            .flatMap(({ addresses }) => single(addresses)),
          ...(matches(peer.selector, HOST_LABELS) ? single(hostAddresses) : []),
          ...(matches(peer.selector, WORLD_LABELS) ? this.#outside(everywhere(this.#family), []) : []),
        ]
      case 'cidr':
        return peer.prefix.family === this.#family ? this.#outside(peer.prefix, peer.except) : []
      case 'entity':
        switch (peer.entity) {
          case 'host':
            return single(hostAddresses)
          case 'cluster':
            return single([...hostAddresses, ...endpoints.flatMap(({ addresses }) => addresses)])
          case 'world':
          case 'all':
            return this.#outside(everywhere(this.#family), [])
        }
    }
  }

  /** A block is of the world: pods and the node are never meant by it, as in Cilium. */
  #outside(within: Prefix, holes: readonly Prefix[]): Block[] {
    const except = [...holes, ...this.#all.filter((address) => contains(within, address))].filter(
      (hole, index, every) =>
        !every.some((other, place) => (other.text === hole.text ? place < index : contains(other, hole))),
    )
    return except.some((hole) => hole.text === within.text) ? [] : [{ within, except }]
  }
}

function everywhere(family: 4 | 6): Prefix {
  return knownPrefix(family === 4 ? '0.0.0.0/0' : '::/0')
}
