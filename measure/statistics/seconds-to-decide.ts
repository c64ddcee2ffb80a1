import type { Budget, Overhead } from '../record.ts'
import { decide } from './outcome.ts'

/** An estimate with the bounds that decide it, as a record has them. */
export type DecisionEstimate = Pick<
  Overhead,
  'relative' | 'decisionLow' | 'decisionHigh' | 'differenceUs' | 'differenceDecisionLowUs' | 'differenceDecisionHighUs'
> &
  Partial<Pick<Overhead, 'podShare'>>

/** Beyond this, more time is not an answer. */
export const WORTH_WAITING_S = 600

/**
 * Aimed-at distance of the budget in half-widths. At 1 the bound would touch the budget in the mean only: a coin flip.
 * At 1.3 the estimate may move by 0.3 half-widths (near 0.85 standard errors) towards the budget: four of five runs decide.
 */
const MARGIN = 1.3

/** How many times longer the measuring must be for the bound towards the limit to clear it; Infinity where it never will. */
function timesLonger(
  estimate: number | null,
  low: number | null,
  high: number | null,
  limit: number,
  podShare: number,
): number {
  if (estimate === null || low === null || high === null) return Number.POSITIVE_INFINITY
  const distance = Math.abs(limit - estimate)
  const reach = estimate < limit ? high - estimate : estimate - low
  if (distance === 0) return Number.POSITIVE_INFINITY
  // The blocks' part of the variance shrinks with the time, the pods' part stays.
  const variance = (distance / (MARGIN * reach)) ** 2
  return variance > podShare ? (1 - podShare) / (variance - podShare) : Number.POSITIVE_INFINITY
}

/**
 * More measuring time, s, in the same conditions, that would probably decide an `inconclusive`, if the estimate stays; 0 when it is decided,
 * null when it would take more than WORTH_WAITING_S, when the pods differ by too much for any time to help, or when nothing is known.
 * For `decideFaster` the budget is `{ relative: 0 }`.
 * @param measuredMs measuring time behind the estimate
 */
export function secondsToDecide(estimate: DecisionEstimate, budget: Budget, measuredMs: number): number | null {
  if (decide(estimate, budget) !== 'inconclusive') return 0
  // On the log scale, where the bounds lie evenly about the estimate even at +300 %.
  const log = (value: number | null): number | null => (value === null ? null : Math.log1p(value))
  const podShare = estimate.podShare ?? 0
  const relative = timesLonger(
    log(estimate.relative),
    log(estimate.decisionLow),
    log(estimate.decisionHigh),
    Math.log1p(budget.relative),
    podShare,
  )
  const floor = budget.atLeastUs
  let times = relative
  if (floor !== undefined) {
    const { differenceUs, differenceDecisionLowUs: low, differenceDecisionHighUs: high } = estimate
    const absolute = timesLonger(differenceUs, low, high, floor, podShare)
    const relativePasses = estimate.relative !== null && estimate.relative < budget.relative
    const absolutePasses = differenceUs !== null && differenceUs < floor
    if (relativePasses && absolutePasses) times = Math.min(relative, absolute)
    else if (absolutePasses) times = absolute
    else if (!relativePasses) times = Math.max(relative, absolute)
  }
  const seconds = (Math.max(times, 1) - 1) * (measuredMs / 1_000)
  return seconds > WORTH_WAITING_S || Number.isNaN(seconds) ? null : Math.ceil(seconds)
}
