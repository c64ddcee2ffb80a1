/** A measured comparison in the worker's memory; matchers find it through the results that Vitest hands to the test. */
import type { TaskMetaMeshmark } from '../artifact.ts'
import type { Plan } from '../load-options.ts'
import type { Comparison } from '../record.ts'
import type { ParityDifference } from './parity.ts'
import type { RawBlock } from './raw-block.ts'
import type { BenchResult } from './vitest-types.ts'

declare module 'vitest' {
  interface TaskMeta {
    meshmark?: TaskMetaMeshmark
  }
}

export interface MeasuredBlocks {
  readonly arms: readonly string[]
  readonly plan: Plan
  readonly seed: string
  readonly differences: readonly ParityDifference[]
  /** Looks planned beforehand. */
  readonly looks: number
  readonly measuredMs: number
  readonly blocks: readonly RawBlock[]
}

export interface Measured {
  readonly blocks: MeasuredBlocks
  readonly comparison: Comparison
  readonly test: BenchmarkTest
}

/** The part of Vitest's test that matchers write to. */
export interface BenchmarkTest {
  readonly meta: { meshmark?: TaskMetaMeshmark }
}

const MEASURED = Symbol.for('meshmark.measured')

interface Marked {
  readonly [MEASURED]: { readonly arm: string; readonly measured: Measured }
}

export function markResult(result: BenchResult, measured: Measured): BenchResult {
  return Object.defineProperty(result, MEASURED, { value: { arm: result.name, measured }, enumerable: false })
}

/** The comparison that a bench result came from, and its arm; undefined for results of plain functions. */
export function measuredOf(result: unknown): { arm: string; measured: Measured } | undefined {
  if (typeof result !== 'object' || result === null || !(MEASURED in result)) return undefined
  return (result as Marked)[MEASURED]
}
