import type { Overhead } from '../record.ts'

/**
 * What no number of blocks shows: beside other work a request is hit the likelier the longer it takes, by interrupts and by whatever
 * wakes on its CPUs, so that a difference is measured larger than it is. 0.8 % of the difference in the mean of 40 runs beside builds
 * (load 6 to 10 on 2 CPUs), about 0.3 % on a quiet machine: test/accuracy/known-truth.ts, docs/accuracy.md.
 */
const SYSTEMATIC = 0.01

/** An estimate with the bounds that are shown and those that decide. */
export type Bounds = Pick<
  Overhead,
  | 'relative'
  | 'low'
  | 'high'
  | 'decisionLow'
  | 'decisionHigh'
  | 'differenceUs'
  | 'differenceLowUs'
  | 'differenceHighUs'
  | 'differenceDecisionLowUs'
  | 'differenceDecisionHighUs'
>

/**
 * Bounds, shown and decided by, moved outwards by a hundredth of the estimate. Nothing between equal arms; +400 % becomes ±4 points wider.
 * Not in what measuring stops on, for it does not shrink with time.
 */
export function withSystematic<Estimate extends Bounds>(estimate: Estimate): Estimate {
  const relative = SYSTEMATIC * Math.abs(estimate.relative ?? 0)
  const difference = SYSTEMATIC * Math.abs(estimate.differenceUs ?? 0)
  const moved = (bound: number | null, by: number): number | null => (bound === null ? null : bound + by)
  return {
    ...estimate,
    low: moved(estimate.low, -relative),
    high: moved(estimate.high, relative),
    decisionLow: moved(estimate.decisionLow, -relative),
    decisionHigh: moved(estimate.decisionHigh, relative),
    differenceLowUs: moved(estimate.differenceLowUs, -difference),
    differenceHighUs: moved(estimate.differenceHighUs, difference),
    differenceDecisionLowUs: moved(estimate.differenceDecisionLowUs, -difference),
    differenceDecisionHighUs: moved(estimate.differenceDecisionHighUs, difference),
  }
}
