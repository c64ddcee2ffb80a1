/** Pooled latencies of an arm, and the tails that so many samples can carry. */
import type { LatencyUs } from '../record.ts'
import { mean, quantile } from '../statistics/quantile.ts'
import { MINIMUM_SAMPLES } from '../statistics/tails.ts'

export function summarizeLatency(blocks: readonly Float64Array[]): LatencyUs | null {
  const count = blocks.reduce((sum, block) => sum + block.length, 0)
  if (count === 0) return null
  const pooled = new Float64Array(count)
  let at = 0
  for (const block of blocks) {
    pooled.set(block, at)
    at += block.length
  }
  pooled.sort()
  const tail = (metric: 'p99' | 'p99.9', q: number): number | null =>
    count < (MINIMUM_SAMPLES[metric] ?? 0) ? null : quantile(pooled, q)
  return {
    count,
    min: pooled[0] ?? 0,
    mean: mean(pooled),
    p50: quantile(pooled, 0.5),
    p75: quantile(pooled, 0.75),
    p90: quantile(pooled, 0.9),
    p95: quantile(pooled, 0.95),
    p99: tail('p99', 0.99),
    'p99.9': tail('p99.9', 0.999),
    max: pooled[count - 1] ?? 0,
  }
}
