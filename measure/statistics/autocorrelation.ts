import { mean } from './quantile.ts'
import type { Numbers } from './quantile.ts'

/** Above this the blocks are taken as wandering this much: an estimate near 1 would ask for an endless interval. */
const MAX_LAG1 = 0.95

/** Calibrated by test/accuracy/outcome-simulation.ts: 0.15 for 20 blocks, 0.03 for 100. */
const LAG1_ALLOWANCE = 3

/**
 * Lag-1 autocorrelation about the sample mean, Σ(xₜ−m)(xₜ₊₁−m) / Σ(xₜ−m)²; 0 for constant values.
 */
export function lag1Autocorrelation(values: Numbers): number {
  if (values.length < 2) return 0
  const center = mean(values)
  let products = 0
  let squares = 0
  let before = 0
  for (const value of values) {
    const deviation = value - center
    products += before * deviation
    squares += deviation * deviation
    before = deviation
  }
  return squares > 0 ? products / squares : 0
}

/**
 * Lag-1 autocorrelation without its small-sample bias. The expectation of the plain estimate is near ρ − (1 + 4ρ)/n
 * (Marriott and Pope, Biometrika 41, 1954; Kendall, the same volume), so ρ ≈ (n·r + 1)/(n − 4). Kept within ±0.95.
 * @throws RangeError under 6 values.
 */
export function correctedLag1(values: Numbers): number {
  const n = values.length
  if (n < 6) throw new RangeError(`Autocorrelation needs 6 values or more, not ${n}`)
  const corrected = (n * lag1Autocorrelation(values) + 1) / (n - 4)
  return Math.min(MAX_LAG1, Math.max(-MAX_LAG1, corrected))
}

/**
 * By how much an interval that takes n values as independent must be widened when they are a first-order autoregression: never under 1.
 *
 * With g = 1 + 2·Σₖ(1 − k/n)ρᵏ, the variance of the mean is g·σ²/n, and the sample variance is itself low, by (n − g)/(n − 1)
 * (Anderson, The Statistical Analysis of Time Series, 8.2; Zwiers and von Storch, Journal of Climate 8, 1995); the factor is the root of g·(n − 1)/(n − g).
 * @param lag1 ρ; a negative one is taken as 0, since it would narrow
 */
export function widthFactor(lag1: number, n: number): number {
  const rho = Math.min(MAX_LAG1, Math.max(0, lag1))
  let inflation = 1
  let power = 1
  for (let lag = 1; lag < n && power > 1e-12; lag++) {
    power *= rho
    inflation += 2 * (1 - lag / n) * power
  }
  // g nears n as ρ nears 1: then one block's worth of independent data is all there is.
  const shrinkage = Math.max((n - inflation) / (n - 1), 1 / n)
  return Math.sqrt(inflation / shrinkage)
}

/** How many independent values n autocorrelated ones are worth: n over the squared width factor. */
export function effectiveCount(lag1: number, n: number): number {
  return n / widthFactor(lag1, n) ** 2
}

/**
 * Width factor for an autocorrelation that is itself estimated from n values. Its standard error is about 1/√n, and intervals err more by what
 * it misses than less by what it exceeds; that excess is of second order, so the allowance goes with 1/n.
 * @param lag1 from `correctedLag1`
 */
export function cautiousWidthFactor(lag1: number, n: number): number {
  return widthFactor(Math.max(0, lag1) + LAG1_ALLOWANCE / n, n)
}
