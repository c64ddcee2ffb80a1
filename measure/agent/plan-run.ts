/** What a plan needs and gives, so that the agent's loop needn't know which one it runs. */
import type { ArmSender } from './arm-sender.ts'
import type { AgentPlan, ArmSamples } from './protocol.ts'
import type { Random } from '../statistics/random.ts'

export interface PlanContext {
  readonly plan: AgentPlan
  readonly arms: readonly ArmSender[]
  readonly random: Random
  /** Tells the worker that an arm's usage window begins or ends, and waits until it has read the CPU. */
  edge(arm: string, edge: 'start' | 'end'): Promise<void>
}

export interface PlanBlock {
  readonly rounds: number
  /** Of a warm-up that is not as long as a block that counts: how long such a one takes, by its rounds. */
  readonly countingMs?: number
  readonly opened: readonly string[]
  readonly arms: readonly ArmSamples[]
  readonly requests: number
  readonly wantedPerS: number | null
  readonly achievedPerS: number | null
  readonly pacingErrorP99Us: number | null
  readonly invalid: string | null
  readonly note: string | null
}

/**
 * Measures one block; `pods` says which pod of each arm serves it, in the arms' order. `usageWindowMs` is for plans whose usage windows are
 * not the measured ones.
 */
export type RunBlock = (warmUp: boolean, pods: readonly number[], usageWindowMs?: number) => Promise<PlanBlock>

/** Statuses that count as served. A mesh that answers 403 or 503 quickly must not win. */
export function isServed(status: number): boolean {
  return status >= 200 && status < 400
}
