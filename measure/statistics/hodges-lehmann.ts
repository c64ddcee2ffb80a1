import { quantile } from './quantile.ts'
import type { Numbers } from './quantile.ts'
import { signedRankDepth } from './signed-rank.ts'

/**
 * All n(n+1)/2 Walsh averages (xᵢ + xⱼ)/2, i ≤ j, ascending.
 * Their median is the Hodges–Lehmann estimate; interval ends are two of them.
 * 300 values give 45,150 averages, sorted in a few ms.
 */
export function walshAverages(values: Numbers): Float64Array {
  const averages = new Float64Array((values.length * (values.length + 1)) / 2)
  let next = 0
  for (let i = 0; i < values.length; i++) {
    const first = values[i] ?? Number.NaN
    for (let j = i; j < values.length; j++) averages[next++] = first + ((values[j] ?? Number.NaN) - first) / 2
  }
  return averages.sort()
}

/**
 * One-sample Hodges–Lehmann estimate: the median of the Walsh averages (Hodges and Lehmann, Annals of Mathematical Statistics 34(2), 1963).
 * It estimates the pseudo-median: the median of the mean of two independent draws. For a symmetric distribution that is the median and the mean;
 * for a skewed one it lies between them.
 * @throws RangeError without values.
 */
export function hodgesLehmann(values: Numbers): number {
  return quantile(walshAverages(values), 0.5)
}

/** Bounds in the unit of the values. */
export interface Interval {
  low: number
  high: number
}

/**
 * The inverted Wilcoxon signed-rank interval from sorted Walsh averages, each side with error probability `alpha`
 * (two-sided confidence 1 − 2·alpha): with k the largest whole number for which P(T ≤ k − 1) ≤ alpha and M = n(n+1)/2, the ends are the
 * k-th smallest and the k-th largest average, W(k) and W(M + 1 − k). As R's `wilcox.test(conf.int = TRUE, exact = TRUE)`.
 * (Hollander, Wolfe, Chicken, Nonparametric Statistical Methods, 3.3.)
 *
 * Tied values need no correction: equal averages keep their multiplicity and the closed interval then covers with at least the stated confidence.
 * ±Infinity where so few values have no bound at that level.
 * @param averages from `walshAverages`
 * @param n number of values
 * @param alpha error probability of each side: 0.025 for a 95 % interval
 */
export function signedRankInterval(averages: Float64Array, n: number, alpha: number): Interval {
  const depth = signedRankDepth(n, alpha)
  return {
    low: averages[depth - 1] ?? Number.NEGATIVE_INFINITY,
    high: depth === 0 ? Number.POSITIVE_INFINITY : (averages[averages.length - depth] ?? Number.POSITIVE_INFINITY),
  }
}
