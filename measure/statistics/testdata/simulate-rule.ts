import { halfWidth, relativeFromLogRatio } from '../block-estimate.ts'
import type { BlockEstimate, Refusal } from '../block-estimate.ts'
import { shouldStop } from '../looks.ts'
import { decide } from '../outcome.ts'
import { median } from '../quantile.ts'

/** When the rule may stop. */
export interface Plan {
  /** Blocks there are at each look; a look is planned at each. */
  looks: readonly number[]
  /** `cap`: never precise enough. `precision`: the precision is reached at one look or another. */
  stop: 'cap' | 'precision'
}

export interface RuleResult {
  runs: number
  wrongFail: number
  wrongPass: number
  /** 95 % intervals that miss the truth. */
  missed: number
  /** Blocks measured, mean over the runs. */
  meanBlocks: number
}

export interface Simulated {
  result: RuleResult
  /** Where each run ended. */
  ends: readonly BlockEstimate[]
  /** Share of runs that pass when the truth is 0 and the budget this log-ratio. */
  passes(budget: number): number
}

/** One run: answers with the estimate from that many of its blocks. */
type Run = (blocks: number) => BlockEstimate

/**
 * Measures until the rule stops, many times, with the truth (log-ratio) exactly at the budget.
 * @param options.begin draws the blocks of one run
 */
export function simulateRule(
  plan: Plan,
  { begin, truth, runs }: { begin: () => Run; truth: number; runs: number },
): Simulated {
  const precision = plan.stop === 'cap' ? 0 : typicalHalfWidth(plan, begin)
  const ends = Array.from({ length: runs }, () => measure(plan, begin(), precision))
  const share = (is: (end: BlockEstimate) => boolean): number => ends.filter(is).length / runs
  const outcome = (end: BlockEstimate, budget: number): string => {
    const { decisionLow, decisionHigh } = relativeFromLogRatio(end)
    const bounds = { decisionLow, decisionHigh, differenceDecisionLowUs: null, differenceDecisionHighUs: null }
    return decide(bounds, { relative: Math.expm1(budget) })
  }
  return {
    result: {
      runs,
      wrongFail: share((end) => outcome(end, truth) === 'fail'),
      wrongPass: share((end) => outcome(end, truth) === 'pass'),
      missed: share((end) => end.low > truth || end.high < truth),
      meanBlocks: ends.reduce((sum, end) => sum + end.n, 0) / runs,
    },
    ends,
    passes: (budget) => share((end) => outcome(end, truth + budget) === 'pass'),
  }
}

/** Measures until the rule stops, with a look at each of the planned numbers of blocks. */
function measure(plan: Plan, run: Run, precision: number): BlockEstimate {
  let looksTaken = 0
  for (const blocks of plan.looks) {
    const estimate = run(blocks)
    const answer = shouldStop({
      looksMs: plan.looks,
      looksTaken,
      measuredMs: blocks,
      blocks,
      halfWidth: halfWidth(estimate),
      precision,
    })
    looksTaken = answer.looksTaken
    if (answer.stop !== null) return estimate
  }
  throw new Error('The last look always stops')
}

/** The estimate, where the blocks are enough for one. */
export function estimated(result: BlockEstimate | Refusal): BlockEstimate {
  if (result.kind === 'refused') throw new Error(result.message)
  return result
}

/** A precision that about half of the runs reach at the middle look: then stopping depends on the data the most. */
function typicalHalfWidth({ looks }: Plan, begin: () => Run): number {
  const blocks = looks[Math.floor(looks.length / 2)] ?? 0
  return median(Array.from({ length: 200 }, () => halfWidth(begin()(blocks))))
}
