/** Whether the arms' paths serve: what died or refuses is an error with its name, never a fast answer. */
import { setTimeout as delay } from 'node:timers/promises'
import { BlockFailure } from './agent-client.ts'
import type { NamedArm } from './parity.ts'
import type { RawBlock } from './raw-block.ts'

/** Time for a process that died under a request to be seen as dead. */
const DEATH_SEEN_MS = 200

/** @throws Error when a process of an arm's path has ended, which may be seen a moment late */
export async function throwIfSomethingDied(arms: readonly NamedArm[], block: number | null): Promise<void> {
  await delay(DEATH_SEEN_MS)
  await throwIfEnded(arms, block)
}

/**
 * Looked at after every block: a proxy answers 503 for a dead server, so that no connection fails.
 * @throws Error when a process of an arm's path has ended
 */
export async function throwIfEnded(arms: readonly NamedArm[], block: number | null): Promise<void> {
  for (const arm of arms) {
    const ended = arm.pods.find((pod) => pod.failure() !== undefined)
    if (ended === undefined) continue
    // How it ended is known a moment after it has.
    await delay(DEATH_SEEN_MS)
    throw new Error(`"${arm.name}"${block === null ? '' : `, in block ${block}`}: ${ended.failure() ?? ''}`)
  }
}

/** @throws BlockFailure when an arm refused more than it served: the block holds nothing to go by */
export function throwIfUnserved(block: RawBlock): void {
  for (const [name, arm] of block.arms) {
    const requests = arm.latencyUs.length + arm.errors
    if (arm.errors > requests / 2) throw new BlockFailure(name, `${arm.errors} of ${requests} requests were not served`)
  }
}

/** @throws Error when no block has samples of every arm: nothing measured is never green */
export function assertServed(blocks: readonly RawBlock[]): void {
  const served = blocks.some((block) =>
    [...block.arms.values()].every((arm) => arm.latencyUs.length > 0 || (arm.throughputPerS ?? 0) > 0),
  )
  if (served) return
  const errors = blocks.flatMap((block) => [...block.arms].map(([name, arm]) => `"${name}": ${arm.errors} errors`))
  throw new Error(
    `No round was served by every arm (${[...new Set(errors)].slice(0, 4).join('; ')}): nothing was measured.`,
  )
}
