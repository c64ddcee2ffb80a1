import { median } from '../quantile.ts'
import { createRandom } from '../random.ts'
import type { Random } from '../random.ts'

/** Shapes of the noise of blocks, by their innovations: each drives a first-order autoregression. */
export const SHAPES = {
  normal: (random: Random): number => random.normal(),
  /** Student's t with 3 degrees of freedom: heavy tails. */
  t3: (random: Random): number =>
    random.normal() / Math.sqrt((random.normal() ** 2 + random.normal() ** 2 + random.normal() ** 2) / 3),
  /** One block in ten has five times the noise. */
  contaminated: (random: Random): number => random.normal() * (random.next() < 0.1 ? 5 : 1),
  /** Log-normal, σ = 0.5: skewness 1.75. */
  skewed: (random: Random): number => Math.exp(0.5 * random.normal()),
} as const

export type Shape = keyof typeof SHAPES

/** The first n values of a stationary first-order autoregression: x(t) = ρ·x(t−1) + innovation. */
export function drawBlocks(shape: Shape, rho: number, n: number, random: Random): number[] {
  const values: number[] = []
  let value = rho > 0 ? stationary(shape, rho, random) : SHAPES[shape](random)
  while (values.length < n) {
    values.push(value)
    value = rho * value + SHAPES[shape](random)
  }
  return values
}

/** One draw from the stationary distribution; what is left out is under 1e-7 of the first innovation. */
function stationary(shape: Shape, rho: number, random: Random): number {
  let value = 0
  for (let power = 1; power > 1e-7; power *= rho) value = rho * value + SHAPES[shape](random)
  return value
}

const pseudoMedians = new Map<number, number>()

/**
 * What the Hodges–Lehmann estimate aims at: the pseudo-median of the stationary distribution, the median of the mean of two independent draws.
 * 0 for the symmetric shapes; for the skewed one by 500,000 draws (standard error 0.2 % of the distribution's standard deviation).
 */
export function pseudoMedian(shape: Shape, rho: number): number {
  if (shape !== 'skewed') return 0
  const known = pseudoMedians.get(rho)
  if (known !== undefined) return known
  const random = createRandom(`pseudo-median ${rho}`)
  const draw = (): number => (stationary(shape, rho, random) + stationary(shape, rho, random)) / 2
  const found = median(Float64Array.from({ length: 500_000 }, draw))
  pseudoMedians.set(rho, found)
  return found
}

/** Standard deviation of the innovations. */
const INNOVATION_SD: Readonly<Record<Shape, number>> = {
  normal: 1,
  t3: Math.sqrt(3),
  contaminated: Math.sqrt(0.9 + 0.1 * 25),
  skewed: Math.sqrt(Math.expm1(0.25) * Math.exp(0.25)),
}

/** Standard deviation of the stationary distribution. */
export function standardDeviation(shape: Shape, rho: number): number {
  return INNOVATION_SD[shape] / Math.sqrt(1 - rho ** 2)
}
