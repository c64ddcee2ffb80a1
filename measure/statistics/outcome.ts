import type { Budget, Outcome, Overhead } from '../record.ts'

/** The bounds that decide: fractions, and µs where the budget has a floor. Null where nothing can be said. */
export type DecisionBounds = Pick<
  Overhead,
  'decisionLow' | 'decisionHigh' | 'differenceDecisionLowUs' | 'differenceDecisionHighUs'
>

/** Certainly under, certainly over, or neither. Null and NaN bounds are neither. */
function place(low: number | null, high: number | null, limit: number): Outcome {
  if (high !== null && high < limit) return 'pass'
  if (low !== null && low > limit) return 'fail'
  return 'inconclusive'
}

/**
 * Outcome of a budget: `pass` if the whole decision interval is under it, `fail` if it is over, else `inconclusive`.
 * With an absolute floor, `fail` only if dearer than both parts; `pass` if cheaper than either. Bounds that are null never pass, and never fail.
 */
export function decide(bounds: DecisionBounds, budget: Budget): Outcome {
  const relative = place(bounds.decisionLow, bounds.decisionHigh, budget.relative)
  if (budget.atLeastUs === undefined) return relative
  const absolute = place(bounds.differenceDecisionLowUs, bounds.differenceDecisionHighUs, budget.atLeastUs)
  if (relative === 'pass' || absolute === 'pass') return 'pass'
  return relative === 'fail' && absolute === 'fail' ? 'fail' : 'inconclusive'
}

/** Outcome of the claim that the arm is cheaper than the other: its whole decision interval is under 0. */
export function decideFaster(bounds: DecisionBounds): Outcome {
  return decide(bounds, { relative: 0 })
}
