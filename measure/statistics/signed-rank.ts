import { normalQuantile } from './normal-distribution.ts'

/** Up to this many values the distribution of the signed-rank statistic is exact. */
export const EXACT_SIGNED_RANK_MAX = 60

const distributions = new Map<number, Float64Array>()

/**
 * P(T ≤ t) for t = 0 … n(n+1)/2, where T is the sum of the ranks of the positive values among n values
 * that are symmetric about 0, without ties. Exact, by dynamic programming over the ranks
 * (each rank is in the sum or not, with probability 1/2; Wilcoxon, Biometrics Bulletin 1(6), 1945).
 * @throws RangeError unless n is a whole number from 1 to EXACT_SIGNED_RANK_MAX.
 */
export function signedRankDistribution(n: number): Float64Array {
  if (!Number.isInteger(n) || n < 1 || n > EXACT_SIGNED_RANK_MAX) {
    throw new RangeError(`The exact signed-rank distribution is for 1 to ${EXACT_SIGNED_RANK_MAX} values, not ${n}`)
  }
  return (distributions.get(n) ?? remember(n)).slice()
}

function remember(n: number): Float64Array {
  const probability = new Float64Array((n * (n + 1)) / 2 + 1)
  probability[0] = 1
  for (let rank = 1, top = 0; rank <= n; rank++) {
    top += rank
    for (let sum = top; sum >= 0; sum--) {
      const without = probability[sum] ?? 0
      const withRank = sum >= rank ? (probability[sum - rank] ?? 0) : 0
      probability[sum] = (without + withRank) / 2
    }
  }
  let cumulative = 0
  for (const [sum, mass] of probability.entries()) {
    cumulative += mass
    probability[sum] = cumulative
  }
  distributions.set(n, probability)
  return probability
}

/**
 * How many Walsh averages, counted from 1, lie up to and including a one-sided bound: the largest k with P(T ≤ k − 1) ≤ alpha.
 * 0 where n values are too few for that alpha. Exact up to EXACT_SIGNED_RANK_MAX values; above, normal with mean n(n+1)/4,
 * variance n(n+1)(2n+1)/24 and continuity correction, which is slightly wide there (T's tails are lighter than a normal's).
 * @param alpha one-sided error probability, above 0 and below 0.5
 */
export function signedRankDepth(n: number, alpha: number): number {
  if (!(alpha > 0 && alpha < 0.5))
    throw new RangeError(`A one-sided error probability is between 0 and 0.5, not ${alpha}`)
  if (n < 1) return 0
  if (n > EXACT_SIGNED_RANK_MAX) {
    const center = (n * (n + 1)) / 4
    const deviation = Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24)
    return Math.max(0, Math.floor(center + 0.5 + normalQuantile(alpha) * deviation))
  }
  const cumulative = distributions.get(n) ?? remember(n)
  let depth = 0
  while ((cumulative[depth] ?? 1) <= alpha) depth++
  return depth
}
