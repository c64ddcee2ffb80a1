/** Outcomes as words and sentences; every format says them alike. */
import type { Comparison, Metric, Overhead } from '../measure/record.ts'
import { comparisonTitle, nameOfArm } from './arm-name.ts'
import { askedOf, budgetFigure, duration, estimate } from './figures.ts'

/** The order in which metrics are printed. */
export const METRICS: readonly Metric[] = ['p50', 'p90', 'p95', 'p99', 'p99.9', 'mean', 'throughput', 'cpu', 'memory']

/** A judged overhead with the comparison it belongs to. */
export interface JudgedRow {
  comparison: Comparison
  overhead: Overhead
}

/** Every overhead that a matcher judged, in the order of the record. */
export const judgedRows = (comparisons: readonly Comparison[]): JudgedRow[] =>
  comparisons.flatMap((comparison) =>
    comparison.overheads.filter((overhead) => overhead.outcome !== null).map((overhead) => ({ comparison, overhead })),
  )

/** `pass (< 5 %)`. */
export const outcomeText = (overhead: Overhead): string =>
  overhead.outcome === null ? '' : `${overhead.outcome} (${askedOf(overhead)})`

/** Whether the 95 % interval includes 0: no difference is clear. */
export const includesZero = ({ low, high }: Overhead): boolean => low !== null && high !== null && low <= 0 && high >= 0

/** The estimate with its interval, or why there is none. */
export const estimateText = (overhead: Overhead): string =>
  overhead.relative === null
    ? (overhead.unresolved ?? 'not measured')
    : estimate(overhead.relative, overhead.low, overhead.high)

/** Whether more measuring would decide a row (0 s is what is said of one that something else stands in the way of). */
export const isDecidable = <T extends Pick<Overhead, 'secondsToDecide'>>(
  row: T,
): row is T & { secondsToDecide: number } => row.secondsToDecide !== null && row.secondsToDecide > 0

/** What would decide an inconclusive row, as the end of a sentence. */
export const whatDecides = (row: Pick<Overhead, 'secondsToDecide'>): string =>
  isDecidable(row)
    ? `about ${duration(roundedUp(row.secondsToDecide) * 1000)} more would decide it`
    : 'more time would not decide it'

/** To a round number, never less than what is needed. */
function roundedUp(seconds: number): number {
  const step = seconds < 20 ? 1 : seconds < 100 ? 5 : 10
  return Math.ceil(seconds / step) * step
}

function rowTitle({ comparison, overhead }: JudgedRow): string {
  const [arm, over] = [nameOfArm(comparison, overhead.arm), nameOfArm(comparison, overhead.over)]
  return `${comparisonTitle(comparison)}: ${arm} against ${over}, ${overhead.of}`
}

/** A judged row in one sentence. */
export function verdictSentence(row: JudgedRow): string {
  const { overhead } = row
  const asked = overhead.claim === 'faster' ? 'the claim that it is faster' : budgetText(overhead)
  if (overhead.relative === null) {
    const next = isDecidable(overhead) ? `; ${whatDecides(overhead)}` : ''
    return `${rowTitle(row)} is not resolved, ${asked} not decided: ${overhead.unresolved ?? 'nothing was measured'}${next}`
  }
  const subject = `${rowTitle(row)} ${estimateText(overhead)}`
  if (overhead.outcome === 'inconclusive') {
    const reason = overhead.unresolved === null ? '' : `${overhead.unresolved}; `
    return `${subject} does not decide ${asked}: ${reason}${whatDecides(overhead)}`
  }
  if (overhead.claim === 'faster') return `${subject}: ${overhead.outcome === 'fail' ? 'not faster' : 'faster'}`
  return `${subject} is ${overhead.outcome === 'fail' ? 'over' : 'inside'} ${asked}`
}

/** `a budget of 3 %`, `a budget of 3 % or 20 µs`. */
export const budgetText = ({ budget }: Pick<Overhead, 'budget'>): string =>
  budget === null ? 'no budget' : `a budget of ${budgetFigure(budget)}`
