import { numberCidrs } from './cidr-identities.ts'
import type { CidrIdentity } from './cidr-identities.ts'
import { compilePolicies } from './compile.ts'
import type { CompiledPolicy } from './compiled-policy.ts'
import type { Policy } from './policy.ts'
import type { World } from './world.ts'

/**
 * A change of policies as two states to apply, one after the other. With the first, the old policies still hold, but
 * the blocks of the new ones are known; with the second the new policies hold. Whatever the order in which sets are
 * switched and blocks come and go within one of them, no flow meets a verdict that neither the old nor the new policies give.
 * (In one step, a block's addresses would for a moment be judged by new sets as the block around them: a flow that both allow could be cut.)
 */
export function compileUpdate({
  before,
  after,
  world,
  identities,
}: {
  readonly before: readonly Policy[]
  readonly after: readonly Policy[]
  readonly world: World
  /** The blocks that the data path knows now. */
  readonly identities: readonly CidrIdentity[]
}): { readonly bridge: CompiledPolicy; readonly final: CompiledPolicy } {
  const known = new Map(identities.map(({ prefix, identity }) => [prefix, identity]))
  for (const { prefix, identity } of numberCidrs(after, world, identities).named) known.set(prefix, identity)
  const previous = [...known].map(([prefix, identity]) => ({ prefix, identity }))
  return {
    bridge: compilePolicies(before, world, { previous, keepPrevious: true }),
    final: compilePolicies(after, world, { previous }),
  }
}
