/** The end of the report: problems, what failed or stayed undecided, and the count. */
import type { MeshmarkRecord, Outcome } from '../../measure/record.ts'
import { type JudgedRow, judgedRows, verdictSentence } from '../verdict.ts'
import { type Paint, paintOutcome } from './paint.ts'
import { wrap } from './text.ts'

function sentences(rows: readonly JudgedRow[], outcome: Outcome, columns: number, paint: Paint): string[] {
  const chosen = rows.filter(({ overhead }) => overhead.outcome === outcome)
  return chosen.flatMap((row) => {
    const [first = '', ...rest] = wrap(verdictSentence(row), columns, ` ${outcome}  `, '   ')
    return [first.replace(outcome, paintOutcome(paint, outcome, outcome)), ...rest]
  })
}

function summary(rows: readonly JudgedRow[], record: MeshmarkRecord, paint: Paint): string {
  if (record.comparisons.length === 0) return paint('bad', 'nothing was measured')
  if (rows.length === 0) return paint('unsure', 'nothing was judged: these specs state no budget')
  const counts = (['pass', 'fail', 'inconclusive'] as const).flatMap((outcome) => {
    const count = rows.filter(({ overhead }) => overhead.outcome === outcome).length
    return count === 0 ? [] : [paintOutcome(paint, outcome, `${count} ${outcome}`)]
  })
  const undecided = rows.some(({ overhead }) => overhead.outcome === 'inconclusive')
  const gate = undecided ? [record.run.gate ? 'gate: inconclusive fails' : 'no gate: inconclusive only warns'] : []
  return [...counts, ...gate].join(' · ')
}

/** The closing lines. `recordPath` is where the record lies, as the reader would type it. */
export function closing(record: MeshmarkRecord, recordPath: string, columns: number, paint: Paint): string[] {
  const rows = judgedRows(record.comparisons)
  const problems = record.run.problems.flatMap((problem) => {
    const [first = '', ...rest] = wrap(problem, columns, ' problem  ', '   ')
    return [first.replace('problem', paint('bad', 'problem')), ...rest]
  })
  return [
    ...problems,
    ...sentences(rows, 'fail', columns, paint),
    ...sentences(rows, 'inconclusive', columns, paint),
    ` ${summary(rows, record, paint)}`,
    ...wrap(`why: npx meshmark explain ${recordPath}`, columns, ' ').map((line) => paint('quiet', line)),
  ]
}
