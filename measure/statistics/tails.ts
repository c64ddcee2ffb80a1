import { refuseNoVariation, refuseTooFewBlocks } from './block-estimate.ts'
import type { BlockEstimate, Refusal } from './block-estimate.ts'
import { intervalFromReplicates } from './bootstrap-interval.ts'
import { poolSamples } from './pooled-samples.ts'
import type { PooledSamples } from './pooled-samples.ts'
import { createRandom } from './random.ts'

/** Figures of pooled samples that can be compared between arms. */
export type TailMetric = 'p50' | 'p75' | 'p90' | 'p95' | 'p99' | 'p99.9' | 'mean'

/** The samples of one block, µs; the arm (`a`) is compared to what it is over (`b`). */
export interface TailBlock {
  a: Float64Array
  b: Float64Array
}

export interface TailEstimate {
  kind: 'estimate'
  /** The figure of arm `a`, µs. */
  aUs: number
  /** The figure of arm `b`, µs. */
  bUs: number
  /** ln(a / b): positive is dearer. */
  logRatio: BlockEstimate
  /** a − b, µs. */
  differenceUs: BlockEstimate
}

export type TailEstimates = Record<TailMetric, TailEstimate | Refusal>

/** Samples an arm must have before a tail is spoken of: about 100 beyond the quantile. */
export const MINIMUM_SAMPLES: Readonly<Partial<Record<TailMetric, number>>> = { p99: 10_000, 'p99.9': 100_000 }

const QUANTILES: Readonly<Record<Exclude<TailMetric, 'mean'>, number>> = {
  p50: 0.5,
  p75: 0.75,
  p90: 0.9,
  p95: 0.95,
  p99: 0.99,
  'p99.9': 0.999,
}

/** Resamples: the bootstrap's standard error is then known to 1.6 %. */
const RESAMPLES = 2_000

/** Two figures of every arm under one set of weights. */
type Figure = (arm: PooledSamples, weights: Float64Array) => number

/**
 * Compares the arms' quantiles and means over their pooled samples. (The quantile of ratios is not the ratio of quantiles, so pairs are of no use here.)
 * Intervals by resampling whole blocks, both arms together: requests within a block hang together, and so do the arms of one block.
 * Blocks in the order they were measured.
 * @param options.looks planned looks, 1 or more
 * @param options.seed of the resampling: the same seed gives the same bounds
 * @throws RangeError for samples that are not finite and above 0.
 */
export function estimateTails(blocks: readonly TailBlock[], options: { looks: number; seed: string }): TailEstimates {
  const refusal = refuseTooFewBlocks(blocks.length)
  if (refusal) return forEachMetric(() => refusal)
  const a = poolSamples(blocks.map((block) => block.a))
  const b = poolSamples(blocks.map((block) => block.b))
  if (!(a.min > 0 && b.min > 0)) throw new RangeError('Latencies must be above 0: their ratio is taken')
  const all = new Float64Array(blocks.length).fill(1)
  const resamples = drawResamples(blocks.length, options.seed)
  const samples = Math.min(...[a, b].map((arm) => arm.counts.reduce((total, count) => total + count, 0)))

  return forEachMetric((metric) => {
    const missing = (MINIMUM_SAMPLES[metric] ?? 0) - samples
    if (missing > 0) return refuseTooFewSamples(metric, samples, missing)
    const figure: Figure =
      metric === 'mean'
        ? (arm, weights) => arm.mean(weights)
        : (arm, weights) => arm.quantile(weights, QUANTILES[metric])
    const aUs = figure(a, all)
    const bUs = figure(b, all)
    const compare = (weights: Float64Array): Compared => compareFigures(figure(a, weights), figure(b, weights))
    const replicates = resamples.map(compare)
    const withoutOne = Array.from(all, (_, block) => compare(all.with(block, 0)))
    const bounds = (of: keyof Compared): BlockEstimate | undefined =>
      intervalFromReplicates(
        compareFigures(aUs, bUs)[of],
        replicates.map((compared) => compared[of]),
        withoutOne.map((compared) => compared[of]),
        options.looks,
      )
    const logRatio = bounds('logRatio')
    const differenceUs = bounds('difference')
    if (logRatio === undefined || differenceUs === undefined) return refuseNoVariation(blocks.length)
    return { kind: 'estimate', aUs, bUs, logRatio, differenceUs }
  })
}

interface Compared {
  logRatio: number
  difference: number
}

function compareFigures(aUs: number, bUs: number): Compared {
  return { logRatio: Math.log(aUs / bUs), difference: aUs - bUs }
}

/** How often each block is drawn, per resample. */
function drawResamples(blockCount: number, seed: string): Float64Array[] {
  const random = createRandom(seed).fork('block bootstrap')
  return Array.from({ length: RESAMPLES }, () => {
    const weights = new Float64Array(blockCount)
    for (let draw = 0; draw < blockCount; draw++) {
      const block = random.int(blockCount)
      weights[block] = (weights[block] ?? 0) + 1
    }
    return weights
  })
}

function refuseTooFewSamples(metric: TailMetric, samples: number, missing: number): Refusal {
  const count = (value: number): string => value.toLocaleString('en-US')
  return {
    kind: 'refused',
    reason: 'too few samples',
    missing,
    message: `${metric} needs ${count(samples + missing)} samples of each arm, there are ${count(samples)}: ${count(missing)} more`,
  }
}

function forEachMetric(result: (metric: TailMetric) => TailEstimate | Refusal): TailEstimates {
  return {
    p50: result('p50'),
    p75: result('p75'),
    p90: result('p90'),
    p95: result('p95'),
    p99: result('p99'),
    'p99.9': result('p99.9'),
    mean: result('mean'),
  }
}
