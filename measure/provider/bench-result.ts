/** Vitest's own result types, filled from blocks, so that its default table and `toBeFasterThan` work as usual. */
import { mean, median, medianAbsoluteDeviation, quantile } from '../statistics/quantile.ts'
import type { RawBlock } from './raw-block.ts'
import type { BenchResult, Statistics } from './vitest-types.ts'

/** Two-sided 95 % of the normal distribution; there are 20 blocks or more. */
const CRITICAL = 1.96

export function createBenchResult(name: string, blocks: readonly RawBlock[]): BenchResult {
  const arms = blocks.flatMap((block) => block.arms.get(name) ?? [])
  const latencyMs = arms.map((arm) => arm.latencyUs.map((us) => us / 1000))
  const latency = statistics(latencyMs)
  const rates = arms.map((arm) =>
    arm.throughputPerS === null ? arm.latencyUs.map((us) => 1e6 / us) : Float64Array.of(arm.throughputPerS),
  )
  const totalTime = blocks.reduce((sum, block) => sum + block.durationMs, 0)
  return {
    name,
    state: 'completed',
    latency,
    throughput: statistics(rates),
    period: latency.mean,
    totalTime,
    runtime: 'node',
    runtimeVersion: process.version,
    timestampProviderName: 'performance.now',
  } as BenchResult
}

function statistics(blocks: readonly Float64Array[]): Statistics {
  const filled = blocks.filter((block) => block.length > 0)
  const pooled = Float64Array.from(filled.flatMap((block) => Array.from(block))).sort()
  const average = mean(pooled)
  const deviation = Math.sqrt(pooled.reduce((sum, x) => sum + (x - average) ** 2, 0) / Math.max(1, pooled.length - 1))
  const middle = median(pooled)
  // Blocks are the unit: requests within one are autocorrelated.
  const blockMeans = filled.map((block) => mean(block))
  const ofMeans = mean(blockMeans)
  const sem = Math.sqrt(
    blockMeans.reduce((sum, x) => sum + (x - ofMeans) ** 2, 0) / Math.max(1, blockMeans.length - 1) / blockMeans.length,
  )
  const moe = sem * CRITICAL
  return {
    samples: undefined,
    samplesCount: pooled.length,
    min: pooled[0] ?? Number.NaN,
    max: pooled.at(-1) ?? Number.NaN,
    mean: average,
    p50: middle,
    p75: quantile(pooled, 0.75),
    p99: quantile(pooled, 0.99),
    p995: quantile(pooled, 0.995),
    p999: quantile(pooled, 0.999),
    sd: deviation,
    variance: deviation ** 2,
    sem,
    df: blockMeans.length - 1,
    critical: CRITICAL,
    moe,
    rme: (moe / average) * 100,
    mad: medianAbsoluteDeviation(pooled),
    aad: pooled.reduce((sum, x) => sum + Math.abs(x - average), 0) / pooled.length,
  }
}
