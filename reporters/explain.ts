/** What `npx meshmark explain record.json` prints. */
import type { Comparison, MeshmarkRecord, Overhead } from '../measure/record.ts'
import { comparisonTitle, nameOfArm } from './arm-name.ts'
import { circumstances } from './explain/circumstances.ts'
import { reasonFor } from './explain/reason.ts'
import { caption } from './terminal/caption.ts'
import { plain } from './terminal/paint.ts'
import { finished, wrap } from './terminal/text.ts'
import { estimateText, judgedRows, METRICS, outcomeText } from './verdict.ts'

const WIDTH = 100

const paragraph = (sentences: readonly string[], indent: string): string[] => wrap(sentences.join(' '), WIDTH, indent)

const pairOf = (comparison: Comparison, { arm, over }: Overhead): string =>
  `${nameOfArm(comparison, arm)} against ${nameOfArm(comparison, over)}`

function judged(record: MeshmarkRecord, comparison: Comparison): string[] {
  return judgedRows([comparison]).flatMap(({ overhead }) => [
    `  ${overhead.of} of ${pairOf(comparison, overhead)}: ${outcomeText(overhead)}`,
    ...paragraph(reasonFor(record, { comparison, overhead }), '    '),
    '',
  ])
}

function others(comparison: Comparison): string[] {
  if (comparison.overheads.length === 0) return ['  No overhead was computed.', '']
  const rest = comparison.overheads
    .filter((overhead) => overhead.outcome === null)
    .toSorted((a, b) => METRICS.indexOf(a.of) - METRICS.indexOf(b.of))
  if (rest.length === 0) return []
  const lines = [...Map.groupBy(rest, (overhead) => pairOf(comparison, overhead))].flatMap(([pair, overheads]) => {
    const figures = overheads.map((overhead) => `${overhead.of} ${estimateText(overhead)}`).join('; ')
    return wrap(`Not judged, ${pair}: ${figures}.`, WIDTH, '  ', '    ')
  })
  return [...lines, '']
}

const explained = (record: MeshmarkRecord, comparison: Comparison): string[] => [
  `${comparisonTitle(comparison)}   ${comparison.spec}, plan ${comparison.plan.kind}`,
  '',
  ...judged(record, comparison),
  ...others(comparison),
  ...paragraph(circumstances(comparison), '  '),
  '',
]

/** Why every row of a record has its outcome, and what would decide the open ones: plain text, 100 columns. */
export function explain(record: MeshmarkRecord): string {
  const problems = record.run.problems.flatMap((problem) => wrap(`problem: ${problem}`, WIDTH, ' ', '   '))
  return finished([
    ...caption(record, WIDTH, plain),
    '',
    ...(problems.length === 0 ? [] : [...problems, '']),
    ...(record.comparisons.length === 0 ? ['Nothing was measured.', ''] : []),
    ...record.comparisons.flatMap((comparison) => explained(record, comparison)),
    ...paragraph(
      [
        'Intervals are 95 %; positive is dearer. Outcomes are decided by two one-sided 99 % bounds with the error spent',
        'over the looks: pass if the upper one is inside the budget, fail if the lower one is over it, else inconclusive.',
      ],
      '',
    ),
  ])
}
