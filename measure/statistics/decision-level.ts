/** Wrong passes and wrong fails that are accepted, each, with the truth exactly at the budget. */
export const DECISION_ERROR = 0.01

/**
 * Share of the error that is spent; the rest is kept for what the signed-rank interval does not know: skewed blocks, whose low averages come
 * with small spreads, and autocorrelation that is estimated, not known. Calibrated by test/accuracy/outcome-simulation.ts.
 */
const SPENT = 0.9

/** At one or two looks, where 20 blocks may be all there is, those errors weigh more than the looks do. From the same simulation. */
const MOST_PER_LOOK = 0.0035

/**
 * One-sided error probability at each look: the error spent in equal parts over the planned looks (Bonferroni), and never over MOST_PER_LOOK.
 * @throws RangeError unless looks is a whole number from 1.
 */
export function decisionAlpha(looks: number): number {
  if (!Number.isInteger(looks) || looks < 1)
    throw new RangeError(`Planned looks are a whole number from 1, not ${looks}`)
  return Math.min(MOST_PER_LOOK, (SPENT * DECISION_ERROR) / looks)
}
