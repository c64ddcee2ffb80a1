/** The overhead of one arm over another, from the blocks: estimate, intervals, and why there is none. */
import type { Metric, Overhead } from '../record.ts'
import {
  type BlockEstimate,
  lossFromLogRatio,
  refuseTooFewBlocks,
  relativeFromLogRatio,
} from '../statistics/block-estimate.ts'
import { estimateAcrossPods } from '../statistics/across-pods.ts'
import { estimateTails, type TailEstimates, type TailMetric } from '../statistics/tails.ts'
import type { Plan } from '../load-options.ts'
import { pairFigure, type PairFigure } from './block-figures.ts'
import type { MeasuredBlocks } from './measured.ts'
import { memoryBytes, type RawBlock } from './raw-block.ts'
import { type Bounds, withSystematic } from './systematic.ts'

/** More invalid blocks than this share, and the valid ones are a selection. */
const MOST_INVALID = 0.2

/** Memory is read in KiB (smaps_rollup). */
const MEMORY_RESOLUTION_BYTES = 1024

const POOLED: readonly TailMetric[] = ['p90', 'p95', 'p99', 'p99.9', 'mean']

/** Metrics that a plan measures. */
export function metricsOf(plan: Plan): Metric[] {
  return plan.kind === 'saturate'
    ? ['throughput', 'cpu', 'memory']
    : ['p50', 'p90', 'p95', 'p99', 'p99.9', 'mean', 'cpu', 'memory']
}

type Estimated = Bounds & Pick<Overhead, 'effectiveBlocks' | 'podShare' | 'unresolved'>

const NOTHING: Estimated = {
  relative: null,
  low: null,
  high: null,
  decisionLow: null,
  decisionHigh: null,
  differenceUs: null,
  differenceLowUs: null,
  differenceHighUs: null,
  differenceDecisionLowUs: null,
  differenceDecisionHighUs: null,
  effectiveBlocks: null,
  podShare: null,
  unresolved: null,
}

/** Overhead of `arm` over `over`, without outcome: matchers add that. */
export function overheadOf(measured: MeasuredBlocks, arm: string, over: string, of: Metric): Overhead {
  const valid = measured.blocks.filter((block) => block.invalid === null)
  const estimated = estimate(measured, valid, arm, over, of)
  const doubt = reasonNotToDecide(measured, valid)
  return {
    arm,
    over,
    of,
    ...estimated,
    // What is seen is shown; what it can't carry is not decided by.
    ...(doubt === null
      ? {}
      : {
          decisionLow: null,
          decisionHigh: null,
          differenceDecisionLowUs: null,
          differenceDecisionHighUs: null,
          unresolved: estimated.unresolved ?? doubt,
        }),
    blocks: valid.length,
    pods: podsOf(valid, arm),
    outcome: null,
    budget: null,
    secondsToDecide: null,
  }
}

function podsOf(blocks: readonly RawBlock[], arm: string): number {
  return new Set(blocks.flatMap((block) => block.arms.get(arm)?.pod ?? [])).size
}

/** Relative half-width (log-ratio) of what the measuring stops on; null while there is no estimate. */
export function precisionReached(measured: MeasuredBlocks): number | null {
  const valid = measured.blocks.filter((block) => block.invalid === null)
  const of: Metric = measured.plan.kind === 'saturate' ? 'throughput' : 'p50'
  const [reference = '', ...others] = measured.arms
  let widest: number | null = null
  for (const arm of others) {
    const figures = valid.flatMap(
      (block) => pairFigure(block, arm, reference, of, measured.plan.kind === 'paired') ?? [],
    )
    const estimate = estimateAcrossPods(
      figures.map((figure) => ({ ...figure, value: figure.logRatio })),
      { looks: measured.looks },
    )
    if (estimate.kind === 'refused') return null
    widest = Math.max(widest ?? 0, (estimate.high - estimate.low) / 2)
  }
  return widest
}

function reasonNotToDecide(measured: MeasuredBlocks, valid: readonly RawBlock[]): string | null {
  const unequal = measured.differences.filter((difference) => difference.blocking)
  if (unequal.length > 0) {
    const told = unequal.map(({ trait, values }) => `${trait} (${Object.values(values).join(' against ')})`)
    return `the arms do not run alike: ${told.join(', ')}`
  }
  const invalid = measured.blocks.length - valid.length
  if (invalid > MOST_INVALID * measured.blocks.length) {
    const reasons = measured.blocks.flatMap((block) => block.invalid ?? [])
    return `${invalid} of ${measured.blocks.length} blocks are invalid (${reasons[0] ?? ''}): the rest is a selection`
  }
  return null
}

function estimate(
  measured: MeasuredBlocks,
  valid: readonly RawBlock[],
  arm: string,
  over: string,
  of: Metric,
): Estimated {
  if (!metricsOf(measured.plan).includes(of)) {
    return { ...NOTHING, unresolved: `plan '${measured.plan.kind}' does not measure ${of}` }
  }
  if (of === 'memory') return memory(valid, arm, over)
  if (of === 'cpu' && valid.every((block) => [...block.arms.values()].every((raw) => raw.cpuRequests === 0))) {
    return {
      ...NOTHING,
      unresolved: 'CPU was not measured: the cap leaves no time for it (10 s is enough for two arms)',
    }
  }
  const tail = POOLED.find((metric) => metric === of)
  if (tail !== undefined) {
    const estimates = tailsOf(measured, valid, arm, over)[tail]
    return estimates.kind === 'refused'
      ? { ...NOTHING, unresolved: estimates.message }
      : { ...fromLogRatio(estimates.logRatio), ...fromDifference(estimates.differenceUs) }
  }
  const figures: PairFigure[] = valid.flatMap(
    (block) => pairFigure(block, arm, over, of, measured.plan.kind === 'paired') ?? [],
  )
  const options = { looks: measured.looks }
  const ratio = estimateAcrossPods(
    figures.map((figure) => ({ ...figure, value: figure.logRatio })),
    options,
  )
  if (ratio.kind === 'refused') return { ...NOTHING, unresolved: ratio.message }
  const difference = estimateAcrossPods(
    figures.map((figure) => ({ ...figure, value: figure.difference })),
    options,
  )
  const relative = fromLogRatio(ratio, of === 'throughput' ? lossFromLogRatio : relativeFromLogRatio)
  const estimated = { ...relative, ...(difference.kind === 'refused' ? {} : fromDifference(difference)) }
  return of === 'p50' && measured.plan.kind === 'paired' ? withSystematic(estimated) : estimated
}

function fromLogRatio(estimate: BlockEstimate, toFractions = relativeFromLogRatio): Estimated {
  return {
    ...NOTHING,
    ...toFractions(estimate),
    effectiveBlocks: estimate.effectiveN,
    podShare: estimate.podShare ?? null,
  }
}

function fromDifference(estimate: BlockEstimate): Partial<Estimated> {
  return {
    differenceUs: estimate.estimate,
    differenceLowUs: estimate.low,
    differenceHighUs: estimate.high,
    differenceDecisionLowUs: estimate.decisionLow,
    differenceDecisionHighUs: estimate.decisionHigh,
  }
}

/** Memory is read, not sampled: the interval is the range that was read, widened by what a reading resolves. */
function memory(valid: readonly RawBlock[], arm: string, over: string): Estimated {
  const readings = valid.flatMap((block) => {
    const [a, b] = [block.arms.get(arm), block.arms.get(over)]
    const [x, y] = [a === undefined ? null : memoryBytes(a), b === undefined ? null : memoryBytes(b)]
    return x === null || y === null || y === 0 ? [] : [{ x, y }]
  })
  const last = readings.at(-1)
  if (last === undefined) return { ...NOTHING, unresolved: 'memory was not read' }
  const refusal = refuseTooFewBlocks(readings.length)
  if (refusal !== undefined) return { ...NOTHING, unresolved: refusal.message }
  const low = Math.min(...readings.map(({ x, y }) => (x - MEMORY_RESOLUTION_BYTES) / (y + MEMORY_RESOLUTION_BYTES) - 1))
  const high = Math.max(
    ...readings.map(({ x, y }) => (x + MEMORY_RESOLUTION_BYTES) / (y - MEMORY_RESOLUTION_BYTES) - 1),
  )
  const differences = readings.map(({ x, y }) => x - y)
  const [least, most] = [Math.min(...differences), Math.max(...differences)]
  return {
    relative: last.x / last.y - 1,
    low,
    high,
    decisionLow: low,
    decisionHigh: high,
    differenceUs: last.x - last.y,
    differenceLowUs: least,
    differenceHighUs: most,
    differenceDecisionLowUs: least,
    differenceDecisionHighUs: most,
    effectiveBlocks: null,
    podShare: null,
    unresolved: null,
  }
}

const tailsCache = new WeakMap<MeasuredBlocks, Map<string, TailEstimates>>()

/** Resampling takes about a second: once for each pair of arms. */
function tailsOf(measured: MeasuredBlocks, valid: readonly RawBlock[], arm: string, over: string): TailEstimates {
  const known = tailsCache.get(measured) ?? new Map<string, TailEstimates>()
  tailsCache.set(measured, known)
  const key = JSON.stringify([arm, over])
  const cached = known.get(key)
  if (cached !== undefined) return cached
  const estimates = estimateTails(
    valid.flatMap((block) => {
      const [a, b] = [block.arms.get(arm)?.latencyUs, block.arms.get(over)?.latencyUs]
      return a === undefined || b === undefined || a.length === 0 || b.length === 0 ? [] : [{ a, b }]
    }),
    { looks: measured.looks, seed: measured.seed },
  )
  known.set(key, estimates)
  return estimates
}
