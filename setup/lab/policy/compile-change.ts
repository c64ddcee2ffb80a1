import { asTexts, namedBy, numberCidrs } from './cidr-identities.ts'
import type { CidrIdentity } from './cidr-identities.ts'
import { compileFor } from './compile.ts'
import type { CompiledPolicy } from './compiled-policy.ts'
import { identitiesOf } from './identities.ts'
import type { Policy } from './policy.ts'
import type { World } from './world.ts'

/** Groups of policies that hold side by side, in the groups' order. */
export interface CompiledGroups {
  readonly compiled: readonly CompiledPolicy[]
  /** The blocks of addresses that are to be known. */
  readonly identities: readonly CidrIdentity[]
}

export interface CompiledChange {
  /** To be in force first; undefined where nothing would be new in it. */
  readonly bridge: CompiledGroups | undefined
  readonly final: CompiledGroups
}

/**
 * From the groups `before` to the groups `after`, in two states: the old groups with the blocks of both; then the new groups, whose sets
 * are complete for the blocks of both as well. `known` are the blocks that the data path knows now: they keep their numbers.
 *
 * Whatever the order in which sets are switched and blocks come and go within one of the states, no flow meets a verdict that neither the
 * old nor the new policies give. (In one step, a block's addresses would for a moment be judged by new sets as the block around them: a
 * flow that both allow could be cut. Where there were no policies, too: all was allowed.) Without a block that is new there is nothing to
 * bridge: the sets in force are complete for all that is known.
 */
export function compileChange(
  before: readonly (readonly Policy[])[],
  after: readonly (readonly Policy[])[],
  world: World,
  known: readonly CidrIdentity[],
): CompiledChange {
  const all = numberCidrs([...after.flat(), ...before.flat()], world, known)
  const identities = identitiesOf(world, all)
  const state = (groups: readonly (readonly Policy[])[], blocks: readonly CidrIdentity[]): CompiledGroups => ({
    compiled: groups.map((policies) => compileFor(policies, world, identities, blocks)),
    identities: blocks,
  })
  return {
    bridge: all.blocks.length === known.length ? undefined : state(before, asTexts(all.blocks)),
    final: state(after, namedBy(after.flat(), all)),
  }
}
