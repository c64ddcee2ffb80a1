import { halfWidth, relativeFromLogRatio } from '../block-estimate.ts'
import { estimateFromBlocks } from '../estimate.ts'
import { shouldStop } from '../looks.ts'
import { decide } from '../outcome.ts'
import { createRandom } from '../random.ts'
import { median } from '../quantile.ts'
import { drawBlocks, pseudoMedian } from './block-process.ts'
import type { Shape } from './block-process.ts'

/** One situation: what the blocks are like, and when the rule may stop. */
export interface Cell {
  shape: Shape
  rho: number
  /** Blocks there are at each look; a look is planned at each. */
  looks: readonly number[]
  /** `cap`: never precise enough. `precision`: the precision is reached at one look or another. */
  stop: 'cap' | 'precision'
}

export interface CellResult {
  cell: Cell
  runs: number
  wrongFail: number
  wrongPass: number
  /** 95 % intervals that miss the truth. */
  missed: number
  /** Blocks measured, mean over the runs. */
  meanBlocks: number
  /** Share of runs that pass when the truth is 0 and the budget twice the cell's median 95 % half-width. */
  power: number
}

const PLANS: readonly Pick<Cell, 'looks' | 'stop'>[] = [
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
  const draw = (): number[] => drawBlocks(cell.shape, cell.rho, most, random).map((value) => value * SCALE)
  const precision = cell.stop === 'cap' ? 0 : typicalHalfWidth(cell, draw)

  const ends = Array.from({ length: options.runs }, () => measure(cell, draw(), precision))
  const budgetForPower = 2 * median(ends.map((end) => halfWidth(end)))
  let wrongFail = 0
  let wrongPass = 0
  let missed = 0
  let powered = 0
  let blocks = 0
  for (const end of ends) {
    const { decisionLow, decisionHigh } = relativeFromLogRatio(end)
    const bounds = { decisionLow, decisionHigh, differenceDecisionLowUs: null, differenceDecisionHighUs: null }
    const outcome = decide(bounds, { relative: Math.expm1(truth) })
    if (outcome === 'fail') wrongFail++
    if (outcome === 'pass') wrongPass++
    if (end.low > truth || end.high < truth) missed++
    if (decide(bounds, { relative: Math.expm1(truth + budgetForPower) }) === 'pass') powered++
    blocks += end.n
  }
  const share = (count: number): number => count / options.runs
  return {
    cell,
    runs: options.runs,
    wrongFail: share(wrongFail),
    wrongPass: share(wrongPass),
    missed: share(missed),
    meanBlocks: share(blocks),
    power: share(powered),
  }
}

/** Measures until the rule stops, with a look at each of the planned numbers of blocks. */
function measure(cell: Cell, values: readonly number[], precision: number): Estimated {
  let looksTaken = 0
  for (const blocks of cell.looks) {
    const estimate = estimateOrThrow(values.slice(0, blocks), cell.looks.length)
    const answer = shouldStop({
      looksMs: cell.looks,
      looksTaken,
      measuredMs: blocks,
      halfWidth: halfWidth(estimate),
      precision,
    })
    looksTaken = answer.looksTaken
    if (answer.stop !== null) return estimate
  }
  throw new Error('The last look always stops')
}

type Estimated = Extract<ReturnType<typeof estimateFromBlocks>, { kind: 'estimate' }>

function estimateOrThrow(values: readonly number[], looks: number): Estimated {
  const result = estimateFromBlocks(values, { looks })
  if (result.kind === 'refused') throw new Error(result.message)
  return result
}

/** A precision that about half of the runs reach at the middle look: then stopping depends on the data the most. */
function typicalHalfWidth(cell: Cell, draw: () => number[]): number {
  const blocks = cell.looks[Math.floor(cell.looks.length / 2)] ?? 0
  return median(
    Array.from({ length: 200 }, () => halfWidth(estimateOrThrow(draw().slice(0, blocks), cell.looks.length))),
  )
}
