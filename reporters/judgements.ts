/** Joins what matchers said to what was measured. */
import type { Judgement } from '../measure/artifact.ts'
import type { Budget, Comparison, Overhead } from '../measure/record.ts'

const sameRow = (a: Overhead, b: Overhead): boolean => a.arm === b.arm && a.over === b.over && a.of === b.of

const sameBudget = (a: Budget | null, b: Budget | null): boolean =>
  a?.relative === b?.relative && a?.atLeastUs === b?.atLeastUs

const sameQuestion = (a: Overhead, b: Overhead): boolean =>
  sameRow(a, b) && (a.claim ?? 'below') === (b.claim ?? 'below') && sameBudget(a.budget, b.budget)

/**
 * A comparison with its judgements. The first judgement of a row takes the place of the measured overhead; others that
 * ask something else of it (another budget, another claim) follow it; the same question twice keeps the later answer.
 */
export function withJudgements(comparison: Comparison, judgements: readonly Judgement[]): Comparison {
  const overheads = [...comparison.overheads]
  for (const { comparisonId, overhead } of judgements) {
    if (comparisonId !== comparison.id) continue
    const at = overheads.findIndex(
      (each) =>
        (each.outcome === null && sameRow(each, overhead)) || (each.outcome !== null && sameQuestion(each, overhead)),
    )
    const after = overheads.findLastIndex((each) => sameRow(each, overhead))
    if (at >= 0) overheads[at] = overhead
    else overheads.splice(after < 0 ? overheads.length : after + 1, 0, overhead)
  }
  return { ...comparison, overheads }
}
