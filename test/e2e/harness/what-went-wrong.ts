/** Why a run did not end as it should, the reasons first: CI shows the beginning of a message only. */
import type { MeshmarkRecord } from '../../../measure/record.ts'
import type { BenchRun } from './run-bench.ts'

const LAST_LINES = 25
const ERROR_LINES = 12

/** For the message of an assertion: what the record says, the errors that were printed, the end of the output. */
export function whatWentWrong({ record, stdout, stderr }: BenchRun): string {
  const output = stdout + stderr
  return [
    ...(isRecord(record) ? reasonsIn(record) : ['there is no record']),
    '--- errors',
    ...output
      .split('\n')
      .filter((line) => /^\s*(FAIL|×|→|[A-Za-z]*Error:|⎯+ .*(Error|Failed))/.test(line))
      .slice(0, ERROR_LINES),
    '--- the end of the output',
    ...output.trimEnd().split('\n').slice(-LAST_LINES),
    '---',
  ].join('\n')
}

function isRecord(record: unknown): record is MeshmarkRecord {
  return typeof record === 'object' && record !== null && 'comparisons' in record && 'run' in record
}

/** Every row that is not a pass or has no estimate, with what bears on it. */
function reasonsIn({ run, comparisons }: MeshmarkRecord): string[] {
  return [
    `run: ${run.reason}${run.problems.map((problem) => `; ${JSON.stringify(problem)}`).join('')}`,
    ...comparisons.flatMap(({ project, test, overheads, blocks, stopped, generator }) => {
      const invalid = blocks.filter(({ valid }) => !valid)
      const rows = overheads.filter(({ budget, outcome }) => budget !== null && outcome !== 'pass')
      const judged = rows.map(
        ({ arm, of, relative, low, high, outcome, unresolved }) =>
          `  ${arm} ${of}: ${outcome}, ${relative} [${low}, ${high}]${unresolved === null ? '' : `: ${unresolved}`}`,
      )
      const head = `${project} › ${test}: ${blocks.length} blocks, ${invalid.length} invalid${invalid[0]?.note === undefined ? '' : ` (${invalid[0].note})`}, stopped by ${stopped.reason} after ${(stopped.measuredMs / 1000).toFixed(1)} s`
      return [head, ...judged, ...generator.warnings.map((warning) => `  warning: ${warning}`)]
    }),
  ]
}
