/** An estimate from blocks with its bounds, in the input's own unit (log-ratio or µs). */
export interface BlockEstimate {
  kind: 'estimate'
  estimate: number
  /** 95 % interval. */
  low: number
  high: number
  /** One-sided 99 % bounds with the error spent over the planned looks: what outcomes are decided by. */
  decisionLow: number
  decisionHigh: number
  /** Blocks it rests on. */
  n: number
  /** How many independent blocks they are worth. */
  effectiveN: number
  /** Lag-1 autocorrelation of the blocks, corrected for its small-sample bias. */
  lag1: number
  /** Share of the variance that stays however many blocks there are: that of the pods. Absent for an estimate over blocks alone. */
  podShare?: number
}

/** Why there is no estimate. `message` is for people, and is what a record's `unresolved` says. */
export type Refusal =
  | { kind: 'refused'; reason: 'too few blocks'; missing: number; message: string }
  | { kind: 'refused'; reason: 'too few samples'; missing: number; message: string }
  | { kind: 'refused'; reason: 'no variation'; message: string }

/** Under this many blocks nothing is said. */
export const MINIMUM_BLOCKS = 20

/** Refusal for fewer than MINIMUM_BLOCKS blocks, undefined when there are enough. */
export function refuseTooFewBlocks(blocks: number): Refusal | undefined {
  if (blocks >= MINIMUM_BLOCKS) return undefined
  const missing = MINIMUM_BLOCKS - blocks
  return {
    kind: 'refused',
    reason: 'too few blocks',
    missing,
    message: `${blocks} valid blocks, at least ${MINIMUM_BLOCKS} are needed: ${missing} more`,
  }
}

/** Refusal for figures that do not differ between blocks: an interval of no width would claim perfect knowledge. */
export function refuseNoVariation(blocks: number): Refusal {
  return {
    kind: 'refused',
    reason: 'no variation',
    message: `${blocks} blocks gave the same figure: the clock is too coarse or nothing was measured, so no interval can be given`,
  }
}

/** Half the length of the 95 % interval, in the estimate's own unit: what measuring stops on. */
export function halfWidth(estimate: BlockEstimate): number {
  return (estimate.high - estimate.low) / 2
}

/** Overhead fractions, as a record has them. */
export interface RelativeEstimate {
  relative: number
  low: number
  high: number
  decisionLow: number
  decisionHigh: number
}

/** An estimate of a log-ratio as fractions, exp(x) − 1: 0.03 is 3 % dearer. */
export function relativeFromLogRatio(estimate: BlockEstimate): RelativeEstimate {
  return {
    relative: Math.expm1(estimate.estimate),
    low: Math.expm1(estimate.low),
    high: Math.expm1(estimate.high),
    decisionLow: Math.expm1(estimate.decisionLow),
    decisionHigh: Math.expm1(estimate.decisionHigh),
  }
}

/** As `relativeFromLogRatio` for throughput: dearer by the share that is lost, 1 − B/A, which can't be over 100 %. */
export function lossFromLogRatio(estimate: BlockEstimate): RelativeEstimate {
  const loss = (logRatio: number): number => -Math.expm1(-logRatio)
  return {
    relative: loss(estimate.estimate),
    low: loss(estimate.low),
    high: loss(estimate.high),
    decisionLow: loss(estimate.decisionLow),
    decisionHigh: loss(estimate.decisionHigh),
  }
}
