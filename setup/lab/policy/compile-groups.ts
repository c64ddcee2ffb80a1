import { numberCidrs } from './cidr-identities.ts'
import type { CidrIdentity } from './cidr-identities.ts'
import { compilePolicies } from './compile.ts'
import type { CompiledPolicy } from './compiled-policy.ts'
import type { Policy } from './policy.ts'
import type { World } from './world.ts'

export interface CompiledGroups {
  /** In the groups' order. */
  readonly compiled: readonly CompiledPolicy[]
  /** The blocks of addresses that are to be known. */
  readonly identities: readonly CidrIdentity[]
}

/**
 * Compiles groups of policies that hold side by side. Blocks that the data path knows keep their numbers, and the sets are complete for
 * the blocks of `beside`, too.
 *
 * A change goes through two states: the old groups beside the new ones, with the blocks of both (`keep`); then the new groups beside the
 * old ones. Whatever the order in which sets are switched and blocks come and go within one of them, no flow meets a verdict that
 * neither the old nor the new policies give. (In one step, a block's addresses would for a moment be judged by new sets as the block
 * around them: a flow that both allow could be cut.)
 */
export function compileGroups(
  groups: readonly (readonly Policy[])[],
  world: World,
  {
    identities,
    beside = [],
    keep = false,
  }: {
    /** The blocks that the data path knows now. */
    readonly identities: readonly CidrIdentity[]
    readonly beside?: readonly Policy[]
    /** Whether the blocks of `beside` are to be known as well. */
    readonly keep?: boolean
  },
): CompiledGroups {
  const own = groups.flat()
  const all = numberCidrs([...own, ...beside], world, identities)
  const previous = all.blocks.map(({ prefix, identity }) => ({ prefix: prefix.text, identity }))
  return {
    compiled: groups.map((policies) => compilePolicies(policies, world, { previous })),
    identities: keep ? previous : numberCidrs(own, world, previous).named,
  }
}
