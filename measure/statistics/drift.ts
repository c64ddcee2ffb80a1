import { median } from './quantile.ts'
import { normalUpperTail } from './normal-distribution.ts'

/** One block's figure of the reference arm. */
export interface DriftPoint {
  /** Start of the block, ms from any origin. */
  atMs: number
  value: number
}

export interface Drift {
  /** Mann–Kendall tau: (rising pairs − falling pairs) / all pairs, −1 to 1 (Kendall's tau-a). */
  tau: number
  /** Two-sided. */
  p: number
  /** Theil–Sen slope, unit of the values per minute. */
  perMinute: number
}

/** Under this many blocks the normal approximation of the test means little. */
export const MINIMUM_DRIFT_POINTS = 8

/**
 * Whether a figure drifts with time: Mann–Kendall test (Mann, Econometrica 13, 1945; Kendall, Rank Correlation Methods, 1975; normal
 * approximation, variance corrected for ties, continuity correction) and Theil–Sen slope (Sen, JASA 63, 1968; median of the slopes of all
 * pairs with different times). Autocorrelated blocks give small p more often than they should: read it with the size of the slope.
 * Null under MINIMUM_DRIFT_POINTS points, or when all have the same time.
 * @throws RangeError for values that are not finite.
 */
export function testDrift(points: readonly DriftPoint[]): Drift | null {
  if (!points.every(({ atMs, value }) => Number.isFinite(atMs) && Number.isFinite(value))) {
    throw new RangeError('Times and values of a drift test must be finite numbers')
  }
  const n = points.length
  if (n < MINIMUM_DRIFT_POINTS) return null
  const inTime = points.toSorted((one, other) => one.atMs - other.atMs)
  const slopes: number[] = []
  let score = 0
  for (const [index, later] of inTime.entries()) {
    for (const earlier of inTime.slice(0, index)) {
      if (later.atMs === earlier.atMs) continue
      score += Math.sign(later.value - earlier.value)
      slopes.push((later.value - earlier.value) / (later.atMs - earlier.atMs))
    }
  }
  if (slopes.length === 0) return null
  const variance = (pairWeight(n) - tiedWeight(inTime.map(({ value }) => value))) / 18
  const z = variance > 0 ? Math.max(0, Math.abs(score) - 1) / Math.sqrt(variance) : 0
  return {
    tau: score / ((n * (n - 1)) / 2),
    p: Math.min(1, 2 * normalUpperTail(z)),
    perMinute: median(slopes) * 60_000,
  }
}

function pairWeight(count: number): number {
  return count * (count - 1) * (2 * count + 5)
}

function tiedWeight(values: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  let weight = 0
  for (const count of counts.values()) weight += pairWeight(count)
  return weight
}
