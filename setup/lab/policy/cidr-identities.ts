import { comparePrefixes, parsePrefix } from './address.ts'
import type { Prefix } from './address.ts'
import { LabError } from '../lab-error.ts'
import type { Policy } from './policy.ts'
import { FIRST_CIDR_IDENTITY } from './world.ts'
import type { World } from './world.ts'

/** A block of addresses that policies name. An address belongs to the smallest block that it is in. */
export interface CidrIdentity {
  readonly prefix: string
  readonly identity: number
}

export interface NumberedBlock {
  readonly prefix: Prefix
  readonly identity: number
}

/** Blocks in the order of comparePrefixes, so that what lies in a block is found by its position. */
export interface CidrIndex {
  readonly blocks: readonly NumberedBlock[]
  /** Those that policies name now; the others are the previous policies'. */
  readonly named: readonly CidrIdentity[]
}

/**
 * Gives every block that a rule names, and every hole in one, an identity of its own. Blocks of `previous` keep their
 * number, new ones take numbers that none of those has: while old and new entries are both in force, no number means two things.
 */
export function numberCidrs(policies: readonly Policy[], world: World, previous: readonly CidrIdentity[]): CidrIndex {
  // A pod's or the node's own address has that identity, whatever block it is.
  const taken = new Set(
    [...world.hostAddresses, ...world.endpoints.flatMap(({ addresses }) => addresses)].map(
      (address) => knownPrefix(address).text,
    ),
  )
  const named = new Map<string, Prefix>()
  for (const prefix of prefixesIn(policies)) if (!taken.has(prefix.text)) named.set(prefix.text, prefix)
  const known = previous.map(({ prefix, identity }) => ({ prefix: knownPrefix(prefix), identity }))
  const identities = new Map(known.map(({ prefix, identity }) => [prefix.text, identity]))
  const used = new Set(identities.values())
  let next = FIRST_CIDR_IDENTITY
  const identityOf = (text: string): number => {
    const own = identities.get(text)
    if (own !== undefined) return own
    while (used.has(next)) next++
    return next++
  }
  const inOrder = [...named.values()].sort(comparePrefixes)
  const numbered = inOrder.map((prefix) => ({ prefix, identity: identityOf(prefix.text) }))
  const leftOver = known.filter(({ prefix }) => !named.has(prefix.text))
  return {
    blocks:
      leftOver.length === 0 ? numbered : [...numbered, ...leftOver].sort((a, b) => comparePrefixes(a.prefix, b.prefix)),
    named: asTexts(numbered),
  }
}

/** Those of the index's blocks that these policies name. */
export function namedBy(policies: readonly Policy[], { named }: CidrIndex): CidrIdentity[] {
  const own = new Set([...prefixesIn(policies)].map(({ text }) => text))
  return named.filter(({ prefix }) => own.has(prefix))
}

export function asTexts(blocks: readonly NumberedBlock[]): CidrIdentity[] {
  return blocks.map(({ prefix, identity }) => ({ prefix: prefix.text, identity }))
}

/** Identities of the blocks that lie in `outer`, itself included. */
export function identitiesIn({ blocks }: CidrIndex, outer: Prefix): number[] {
  const found: number[] = []
  for (let index = positionOf(blocks, outer); index < blocks.length; index++) {
    const block = blocks[index]
    if (!block || block.prefix.family !== outer.family || block.prefix.first > outer.last) break
    found.push(block.identity)
  }
  return found
}

/** Of the first block that is not before `prefix`. A larger block with the same first address is before it. */
function positionOf(blocks: CidrIndex['blocks'], prefix: Prefix): number {
  let [low, high] = [0, blocks.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    const block = blocks[middle]
    if (block && comparePrefixes(block.prefix, prefix) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** @throws LabError: addresses of the world are meshmark's own. */
export function knownPrefix(text: string): Prefix {
  const prefix = parsePrefix(text)
  if (!prefix) throw new LabError(`"${text}" is no address and no block of addresses.`)
  return prefix
}

function* prefixesIn(policies: readonly Policy[]): Generator<Prefix> {
  for (const { specs } of policies) {
    for (const { rules } of specs.flatMap(({ ingress, egress }) => [ingress, egress])) {
      for (const { peers } of rules) {
        if (peers === 'any') continue
        for (const peer of peers) {
          if (peer.kind !== 'cidr') continue
          yield peer.prefix
          yield* peer.except
        }
      }
    }
  }
}
