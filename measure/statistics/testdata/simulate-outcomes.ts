import { halfWidth } from '../block-estimate.ts'
import type { BlockEstimate } from '../block-estimate.ts'
import { estimateFromBlocks } from '../estimate.ts'
import { createRandom } from '../random.ts'
import { median } from '../quantile.ts'
import { drawBlocks, pseudoMedian } from './block-process.ts'
import type { Shape } from './block-process.ts'
import { estimated, simulateRule } from './simulate-rule.ts'
import type { Plan, RuleResult } from './simulate-rule.ts'

/** One situation: what the blocks are like, and when the rule may stop. */
export interface Cell extends Plan {
  shape: Shape
  rho: number
}

export interface CellResult extends RuleResult {
  cell: Cell
  /** Share of runs that pass when the truth is 0 and the budget twice the cell's median 95 % half-width. */
  power: number
}

const PLANS: readonly Plan[] = [
  { looks: [20], stop: 'cap' },
  { looks: [20, 30, 40], stop: 'precision' },
  { looks: [25, 50, 75, 100], stop: 'precision' },
  { looks: [25, 50, 75, 100], stop: 'cap' },
]

/** Every shape with every autocorrelation and every plan. */
export const CELLS: readonly Cell[] = (['normal', 't3', 'contaminated', 'skewed'] as const).flatMap((shape) =>
  [0, 0.15, 0.3].flatMap((rho) => PLANS.map((plan) => ({ shape, rho, ...plan }))),
)

/** Noise of the simulated log-ratios: 1 % a block, so that fractions and logs are not the same numbers. */
const SCALE = 0.01

/** Runs the whole rule many times, with the truth exactly at the budget. */
export function simulateCell(cell: Cell, options: { runs: number; seed: string }): CellResult {
  const random = createRandom(options.seed).fork(JSON.stringify(cell))
  const truth = pseudoMedian(cell.shape, cell.rho) * SCALE
  const most = cell.looks.at(-1) ?? 0
  const begin = (): ((blocks: number) => BlockEstimate) => {
    const values = drawBlocks(cell.shape, cell.rho, most, random).map((value) => value * SCALE)
    return (blocks) => estimated(estimateFromBlocks(values.slice(0, blocks), { looks: cell.looks.length }))
  }
  const { result, passes, ends } = simulateRule(cell, { begin, truth, runs: options.runs })
  return { cell, ...result, power: passes(2 * median(ends.map((end) => halfWidth(end)))) }
}
