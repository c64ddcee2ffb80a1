/** One figure per block for each overhead: what the statistics over blocks start from. */
import type { Metric } from '../record.ts'
import { mean, quantile, sortedCopy } from '../statistics/quantile.ts'
import { cpuUsPerRequest, type RawArm, type RawBlock } from './raw-block.ts'

export interface PairFigure {
  /** ln of how many times dearer the arm is. */
  readonly logRatio: number
  /** arm − over: µs, or requests/s for throughput. */
  readonly difference: number
  readonly pod: number
  readonly overPod: number
}

/**
 * Figure of one block: for latencies of a `paired` block the median over its rounds, so that what hit both requests of
 * a round cancels; for others the ratio of the arms' own figures in the block. Null where the block has none.
 */
export function pairFigure(block: RawBlock, arm: string, over: string, of: Metric, paired: boolean): PairFigure | null {
  const a = block.arms.get(arm)
  const b = block.arms.get(over)
  if (a === undefined || b === undefined) return null
  const pods = { pod: a.pod, overPod: b.pod }
  if (of === 'p50' && paired) return medianOfPairs(a, b)
  const [x, y] = [armFigure(a, of), armFigure(b, of)]
  if (x === null || y === null || !(x > 0) || !(y > 0)) return null
  // Positive is dearer: fewer requests per second are.
  return { logRatio: of === 'throughput' ? Math.log(y / x) : Math.log(x / y), difference: x - y, ...pods }
}

function medianOfPairs(a: RawArm, b: RawArm): PairFigure | null {
  const rounds = Math.min(a.latencyUs.length, b.latencyUs.length)
  if (rounds === 0) return null
  const ratios = new Float64Array(rounds)
  const differences = new Float64Array(rounds)
  for (let i = 0; i < rounds; i++) {
    const [x = Number.NaN, y = Number.NaN] = [a.latencyUs[i], b.latencyUs[i]]
    ratios[i] = Math.log(x / y)
    differences[i] = x - y
  }
  return {
    logRatio: quantile(ratios.sort(), 0.5),
    difference: quantile(differences.sort(), 0.5),
    pod: a.pod,
    overPod: b.pod,
  }
}

function armFigure(arm: RawArm, of: Metric): number | null {
  if (of === 'throughput') return arm.throughputPerS
  if (of === 'cpu') return cpuUsPerRequest(arm)
  if (arm.latencyUs.length === 0) return null
  return of === 'p50' ? quantile(sortedCopy(arm.latencyUs), 0.5) : of === 'mean' ? mean(arm.latencyUs) : null
}
