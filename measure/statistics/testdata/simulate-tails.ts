import { relativeFromLogRatio } from '../block-estimate.ts'
import { decide } from '../outcome.ts'
import { quantile } from '../quantile.ts'
import { createRandom } from '../random.ts'
import type { Random } from '../random.ts'
import { estimateTails } from '../tails.ts'
import type { TailBlock, TailMetric } from '../tails.ts'
import { drawBlocks } from './block-process.ts'

/** One situation of pooled tails. */
export interface TailCell {
  blocks: number
  samplesPerBlock: number
  rho: number
  /** How often a request of each arm is slow; the rate itself wanders between blocks. */
  slowShare: { a: number; b: number }
}

export interface TailRates {
  cell: TailCell
  metric: SimulatedMetric
  runs: number
  wrongFail: number
  wrongPass: number
  missed: number
}

export const TAIL_CELLS: readonly TailCell[] = [0, 0.3].flatMap((rho) =>
  [
    { a: 0.01, b: 0.01 },
    { a: 0.03, b: 0.01 },
  ].flatMap((slowShare) => [
    { blocks: 20, samplesPerBlock: 500, rho, slowShare },
    { blocks: 60, samplesPerBlock: 200, rho, slowShare },
  ]),
)

const METRICS = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 } as const satisfies Partial<Record<TailMetric, number>>

export type SimulatedMetric = keyof typeof METRICS

/** Standard deviations of the logs: of what both arms of a block share, of each arm's own, of its rate of slow requests. */
const SHARED = 0.1
const OWN = 0.03
const SLOW_RATE = 0.5

const TRUTH_BLOCKS = 10_000

/**
 * Runs the decision rule of the tails many times, with the truth exactly at the budget.
 * @throws Error for a metric that the cell has too few samples for.
 */
export function simulateTails(
  cell: TailCell,
  options: { runs: number; seed: string; metrics: readonly SimulatedMetric[] },
): TailRates[] {
  const random = createRandom(options.seed).fork(JSON.stringify(cell))
  const truth = trueLogRatios(cell, random)
  const rates = options.metrics.map((metric) => ({
    metric,
    logRatio: truth(metric),
    wrongFail: 0,
    wrongPass: 0,
    missed: 0,
  }))
  for (let run = 0; run < options.runs; run++) {
    const estimates = estimateTails(drawTailBlocks(cell, random), { looks: 4, seed: `${run}` })
    for (const rate of rates) {
      const result = estimates[rate.metric]
      if (result.kind === 'refused') throw new Error(result.message)
      const { decisionLow, decisionHigh } = relativeFromLogRatio(result.logRatio)
      const outcome = decide(
        { decisionLow, decisionHigh, differenceDecisionLowUs: null, differenceDecisionHighUs: null },
        { relative: Math.expm1(rate.logRatio) },
      )
      if (outcome === 'fail') rate.wrongFail++
      if (outcome === 'pass') rate.wrongPass++
      if (result.logRatio.low > rate.logRatio || result.logRatio.high < rate.logRatio) rate.missed++
    }
  }
  return rates.map(({ metric, wrongFail, wrongPass, missed }) => ({
    cell,
    metric,
    runs: options.runs,
    wrongFail: wrongFail / options.runs,
    wrongPass: wrongPass / options.runs,
    missed: missed / options.runs,
  }))
}

/** Quantiles of 2 million samples of 10,000 blocks; the autocorrelation of blocks does not change them. */
function trueLogRatios(cell: TailCell, random: Random): (metric: SimulatedMetric) => number {
  const many = drawTailBlocks({ ...cell, rho: 0, blocks: TRUTH_BLOCKS, samplesPerBlock: 200 }, random)
  const pooled = (arm: 'a' | 'b'): Float64Array => {
    const all = new Float64Array(TRUTH_BLOCKS * 200)
    for (const [index, block] of many.entries()) all.set(block[arm], index * 200)
    return all.sort()
  }
  const a = pooled('a')
  const b = pooled('b')
  return (metric) => Math.log(quantile(a, METRICS[metric]) / quantile(b, METRICS[metric]))
}

function drawTailBlocks(cell: TailCell, random: Random): TailBlock[] {
  const wander = (deviation: number): number[] => {
    const scale = deviation * Math.sqrt(1 - cell.rho ** 2)
    return drawBlocks('normal', cell.rho, cell.blocks, random).map((value) => value * scale)
  }
  const shared = wander(SHARED)
  const arm = (slowShare: number): Float64Array[] => {
    const own = wander(OWN)
    const slow = wander(SLOW_RATE)
    return shared.map((effect, index) => {
      const level = 100 * Math.exp(effect + (own[index] ?? 0))
      const slowHere = slowShare * Math.exp(slow[index] ?? 0)
      return Float64Array.from({ length: cell.samplesPerBlock }, () => drawLatency(level, slowHere, random))
    })
  }
  const a = arm(cell.slowShare.a)
  const b = arm(cell.slowShare.b)
  return a.map((samples, index) => ({ a: samples, b: b[index] ?? new Float64Array() }))
}

/** Log-normal; a slow request takes e times longer in the middle, with a spread of its own. */
function drawLatency(level: number, slowShare: number, random: Random): number {
  const slow = random.next() < slowShare ? Math.exp(1 + 0.5 * random.normal()) : 1
  return level * slow * Math.exp(0.3 * random.normal())
}
