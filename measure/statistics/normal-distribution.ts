/** Coefficients of Wichura's AS 241 (PPND16), Applied Statistics 37(3), 1988: relative accuracy about 1e-16. */
const CENTER: readonly (readonly [number, number])[] = [
  [2509.0809287301226727, 5226.495278852545925],
  [33430.575583588128105, 28729.085735721942674],
  [67265.770927008700853, 39307.89580009271061],
  [45921.953931549871457, 21213.794301586595867],
  [13731.693765509461125, 5394.1960214247511077],
  [1971.5909503065514427, 687.1870074920579083],
  [133.14166789178437745, 42.313330701600911252],
  [3.387132872796366608, 1],
]
const MIDDLE: readonly (readonly [number, number])[] = [
  [7.7454501427834140764e-4, 1.05075007164441684324e-9],
  [0.0227238449892691845833, 5.475938084995344946e-4],
  [0.24178072517745061177, 0.0151986665636164571966],
  [1.27045825245236838258, 0.14810397642748007459],
  [3.64784832476320460504, 0.68976733498510000455],
  [5.7694972214606914055, 1.6763848301838038494],
  [4.6303378461565452959, 2.05319162663775882187],
  [1.42343711074968357734, 1],
]
const TAIL: readonly (readonly [number, number])[] = [
  [2.01033439929228813265e-7, 2.04426310338993978564e-15],
  [2.71155556874348757815e-5, 1.4215117583164458887e-7],
  [0.0012426609473880784386, 1.8463183175100546818e-5],
  [0.026532189526576123093, 7.868691311456132591e-4],
  [0.29656057182850489123, 0.0148753612908506148525],
  [1.7848265399172913358, 0.13692988092273580531],
  [5.4637849111641143699, 0.59983220655588793769],
  [6.6579046435011037772, 1],
]

function ratio(coefficients: readonly (readonly [number, number])[], x: number): number {
  let above = 0
  let below = 0
  for (const [numerator, denominator] of coefficients) {
    above = above * x + numerator
    below = below * x + denominator
  }
  return above / below
}

/**
 * The z with P(Z ≤ z) = p for a standard normal Z.
 * @throws RangeError unless 0 < p < 1.
 */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`A probability between 0 and 1 is needed, not ${p}`)
  const offset = p - 0.5
  if (Math.abs(offset) <= 0.425) return offset * ratio(CENTER, 0.180625 - offset * offset)
  const depth = Math.sqrt(-Math.log(offset < 0 ? p : 1 - p))
  const z = depth <= 5 ? ratio(MIDDLE, depth - 1.6) : ratio(TAIL, depth - 5)
  return offset < 0 ? -z : z
}

/**
 * P(Z > z) for a standard normal Z, relative accuracy 1e-12 or better for z up to 38.
 * Series about 0 (Abramowitz and Stegun 26.2.11) near the middle, continued fraction (26.2.14) in the tail.
 */
export function normalUpperTail(z: number): number {
  if (z < 0) return 1 - normalUpperTail(-z)
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)
  if (z < 3) {
    let term = z
    let sum = z
    for (let odd = 3; term > sum * 1e-17; odd += 2) {
      term *= (z * z) / odd
      sum += term
    }
    return 0.5 - density * sum
  }
  let fraction = z
  for (let depth = 120; depth > 0; depth--) fraction = z + depth / fraction
  return density / fraction
}
