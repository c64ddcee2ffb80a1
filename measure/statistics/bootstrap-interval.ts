import { cautiousWidthFactor, correctedLag1, effectiveCount } from './autocorrelation.ts'
import type { BlockEstimate } from './block-estimate.ts'
import { decisionAlpha } from './decision-level.ts'
import { mean } from './quantile.ts'
import type { Numbers } from './quantile.ts'
import { studentUpperQuantile } from './student-distribution.ts'

/** Sums of equal samples differ by their rounding: that is no variation. Far below what log-ratios and µs can resolve. */
const ROUNDING = 1e-12

/**
 * Interval from block-bootstrap replicates: estimate ± t · standard error, the error being the replicates' standard deviation times √(n/(n − 1))
 * (resampling n blocks gives the variance with divisor n; Davison and Hinkley, Bootstrap Methods and their Application, 2.3), t with n − 1 degrees of freedom,
 * widened for the autocorrelation of the blocks' influence on the figure, as the jackknife shows it.
 *
 * Not percentiles: decisions look at 0.25 % tails, where 2,000 replicates have five left, and percentiles of few blocks are too narrow.
 * @param withoutOne the figure without each block, in the order the blocks were measured
 * @returns undefined where nothing varies
 */
export function intervalFromReplicates(
  estimate: number,
  replicates: Numbers,
  withoutOne: Numbers,
  looks: number,
): BlockEstimate | undefined {
  const n = withoutOne.length
  const error = standardDeviation(replicates) * Math.sqrt(n / (n - 1))
  if (!(error > ROUNDING)) return undefined
  const lag1 = correctedLag1(withoutOne)
  const factor = cautiousWidthFactor(lag1, n)
  const shown = studentUpperQuantile(0.025, n - 1) * factor * error
  const decision = studentUpperQuantile(decisionAlpha(looks), n - 1) * factor * error
  return {
    kind: 'estimate',
    estimate,
    low: estimate - shown,
    high: estimate + shown,
    decisionLow: estimate - decision,
    decisionHigh: estimate + decision,
    n,
    effectiveN: effectiveCount(lag1, n),
    lag1,
  }
}

function standardDeviation(values: Numbers): number {
  const center = mean(values)
  let squares = 0
  for (const value of values) squares += (value - center) ** 2
  return Math.sqrt(squares / (values.length - 1))
}
