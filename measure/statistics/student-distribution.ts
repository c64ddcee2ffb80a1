import { normalQuantile } from './normal-distribution.ts'

/** ln Γ(x) for x > 0: Stirling's series after shifting x above 12; relative accuracy about 1e-15. */
function logGamma(x: number): number {
  let shift = 0
  let z = x
  for (; z < 12; z++) shift -= Math.log(z)
  const inverse = 1 / (z * z)
  const series =
    (1 / 12 -
      inverse *
        (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse * (1 / 1188 - (inverse * 691) / 360_360))))) /
    z
  return shift + (z - 0.5) * Math.log(z) - z + Math.log(2 * Math.PI) / 2 + series
}

/** Regularised incomplete beta function by Lentz's continued fraction (DLMF 8.17.22), for x below its mean. */
function incompleteBeta(a: number, b: number, x: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(b, a, 1 - x)
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a
  let c = 1
  let d = 1 / (1 - ((a + b) * x) / (a + 1))
  let fraction = d
  for (let m = 1; m < 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / (1 + even * d)
    c = 1 + even / c
    fraction *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / (1 + odd * d)
    c = 1 + odd / c
    fraction *= d * c
    if (Math.abs(d * c - 1) < 1e-16) break
  }
  return front * fraction
}

/** P(T > t) for Student's t with `df` degrees of freedom, t ≥ 0. */
function upperTail(t: number, df: number): number {
  return incompleteBeta(df / 2, 0.5, df / (df + t * t)) / 2
}

/**
 * The t that Student's t with `df` degrees of freedom exceeds with probability `alpha`; df need not be whole.
 * By bisection on the distribution function, to the last digits of a double.
 * @throws RangeError unless 0 < alpha < 0.5 and df ≥ 1.
 */
export function studentUpperQuantile(alpha: number, df: number): number {
  if (!(alpha > 0 && alpha < 0.5) || !(df >= 1))
    throw new RangeError(`No t quantile for alpha ${alpha} with ${df} degrees of freedom`)
  let low = 0
  let high = -normalQuantile(alpha)
  while (upperTail(high, df) > alpha) high *= 2
  for (let step = 0; step < 80; step++) {
    const middle = (low + high) / 2
    if (middle === low || middle === high) break
    if (upperTail(middle, df) > alpha) low = middle
    else high = middle
  }
  return (low + high) / 2
}
