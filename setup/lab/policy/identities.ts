import { LabError } from '../lab-error.ts'
import { identitiesIn } from './cidr-identities.ts'
import type { CidrIndex } from './cidr-identities.ts'
import { HOST_LABELS, labelsOf, matches, WORLD_LABELS } from './match-labels.ts'
import type { Labels } from './match-labels.ts'
import type { Entity, Peer, Rule } from './policy.ts'
import { HOST_IDENTITY, WORLD_IDENTITY } from './world.ts'
import type { World } from './world.ts'

/** Everyone with an identity. */
export interface Identities {
  readonly pods: ReadonlyMap<number, Labels>
  readonly cidrs: CidrIndex
  /** The world itself and every block of it. */
  readonly outside: readonly number[]
  readonly all: readonly number[]
}

/** @throws LabError when pods of one identity have different labels. */
export function identitiesOf(world: World, cidrs: CidrIndex): Identities {
  const pods = new Map<number, Labels>()
  for (const endpoint of world.endpoints) {
    const labels = labelsOf(endpoint)
    const others = pods.get(endpoint.identity)
    if (others && JSON.stringify(sorted(others)) !== JSON.stringify(sorted(labels))) {
      throw new LabError(`Pods with different labels share identity ${endpoint.identity} (${endpoint.name}).`)
    }
    pods.set(endpoint.identity, labels)
  }
  const outside = [WORLD_IDENTITY, ...cidrs.blocks.map(({ identity }) => identity)]
  return { pods, cidrs, outside, all: [HOST_IDENTITY, ...pods.keys(), ...outside] }
}

/** The identities that a rule is about; `any` where it is about everyone, which one entry says. */
export function peersOfRule({ peers }: Rule, identities: Identities): 'any' | ReadonlySet<number> {
  if (peers === 'any' || peers.some((peer) => peer.kind === 'entity' && peer.entity === 'all')) return 'any'
  const found = new Set<number>()
  for (const peer of peers) for (const identity of identitiesOfPeer(peer, identities)) found.add(identity)
  return found
}

function identitiesOfPeer(peer: Peer, identities: Identities): readonly number[] {
  const { pods, cidrs, outside } = identities
  switch (peer.kind) {
    case 'endpoints': {
      const found: number[] = []
      for (const [identity, labels] of pods) if (matches(peer.selector, labels)) found.push(identity)
      if (matches(peer.selector, HOST_LABELS)) found.push(HOST_IDENTITY)
      return matches(peer.selector, WORLD_LABELS) ? [...found, ...outside] : found
    }
    case 'cidr': {
      const inside = identitiesIn(cidrs, peer.prefix)
      if (peer.except.length === 0) return inside
      const holes = new Set(peer.except.flatMap((hole) => identitiesIn(cidrs, hole)))
      return inside.filter((identity) => !holes.has(identity))
    }
    case 'entity':
      return identitiesOfEntity(peer.entity, identities)
  }
}

function identitiesOfEntity(entity: Entity, { pods, outside, all }: Identities): readonly number[] {
  switch (entity) {
    case 'host':
      return [HOST_IDENTITY]
    case 'cluster':
      return [HOST_IDENTITY, ...pods.keys()]
    case 'world':
      return outside
    case 'all':
      return all
  }
}

function sorted({ k8s = {} }: Labels): unknown {
  return Object.entries(k8s).sort(([a], [b]) => (a < b ? -1 : 1))
}
