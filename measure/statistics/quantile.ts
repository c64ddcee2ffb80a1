/** Numbers by position: arrays and typed arrays alike. */
export type Numbers = readonly number[] | Float64Array

/** A sorted copy. */
export function sortedCopy(values: Numbers): Float64Array {
  return Float64Array.from(values).sort()
}

/** Where a quantile lies between two neighbours of the sorted values: rank (from 0) and the share of the next one. */
export function quantileRank(count: number, q: number): { rank: number; share: number } {
  const position = (count - 1) * q
  const rank = Math.min(Math.floor(position), count - 1)
  return { rank, share: position - rank }
}

/**
 * Quantile by linear interpolation of the order statistics: type 7 of Hyndman and Fan, The American Statistician 50(4), 1996;
 * the default of R and NumPy.
 * @param sorted ascending
 * @param q from 0 to 1
 * @throws RangeError without values, or with q outside [0, 1].
 */
export function quantile(sorted: Numbers, q: number): number {
  if (!(q >= 0 && q <= 1)) throw new RangeError(`A quantile is from 0 to 1, not ${q}`)
  const { rank, share } = quantileRank(sorted.length, q)
  const below = sorted[rank]
  if (below === undefined) throw new RangeError('No values to take a quantile of')
  const above = sorted[rank + 1] ?? below
  return interpolate(below, above, share)
}

/** Linear interpolation that never leaves [below, above] and is exact at both ends. */
export function interpolate(below: number, above: number, share: number): number {
  if (share === 0 || below === above) return below
  return share < 0.5 ? below + share * (above - below) : above - (1 - share) * (above - below)
}

/**
 * Median of values in any order.
 * @throws RangeError without values.
 */
export function median(values: Numbers): number {
  return quantile(sortedCopy(values), 0.5)
}

/**
 * Arithmetic mean.
 * @throws RangeError without values.
 */
export function mean(values: Numbers): number {
  if (values.length === 0) throw new RangeError('No values to take a mean of')
  let sum = 0
  for (const value of values) sum += value
  return sum / values.length
}

/**
 * Median absolute deviation from the median, not scaled (1.4826 times it estimates a normal's standard deviation).
 * @throws RangeError without values.
 */
export function medianAbsoluteDeviation(values: Numbers): number {
  const center = median(values)
  return median(Float64Array.from(values, (value) => Math.abs(value - center)))
}
