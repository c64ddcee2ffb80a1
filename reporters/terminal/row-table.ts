/** The row table, as benchstat prints: one row per comparison and metric. */
import type { Comparison, MeshmarkRecord, Metric, Overhead } from '../../measure/record.ts'
import { comparisonTitle, nameOfArm } from '../arm-name.ts'
import { ABSENT, metricValue } from '../figures.ts'
import { controlsOf, isControl, isInsideNoise, noiseFloorFor } from '../../measure/noise-floor.ts'
import { estimateText, includesZero, METRICS, outcomeText } from '../verdict.ts'
import { valueOf } from '../arm-value.ts'
import { type Paint, paintOutcome } from './paint.ts'
import { type Column, table } from './table.ts'
import { textWidth, wrap } from './text.ts'

/** Printed without being judged. */
const ALWAYS: readonly Metric[] = ['p50', 'p90', 'p99', 'mean', 'cpu', 'memory', 'throughput']

const REASON_INDENT = '        '

const column = (gap: number): Column => ({ heading: [''], align: 'left', gap })

const isPrinted = (overhead: Overhead): boolean =>
  overhead.outcome !== null ||
  (ALWAYS.includes(overhead.of) && (overhead.relative !== null || overhead.unresolved !== null))

function values(comparison: Comparison, { arm, over, of }: Overhead): string {
  const find = (name: string): string =>
    metricValue(
      of,
      valueOf(
        comparison.arms.find((each) => each.name === name),
        of,
      ),
    )
  const [from, to] = [find(over), find(arm)]
  return from === ABSENT && to === ABSENT ? '' : `${from} → ${to}`
}

function verdict(record: MeshmarkRecord, comparison: Comparison, overhead: Overhead, paint: Paint): string {
  const said =
    overhead.outcome === null
      ? includesZero(overhead)
        ? '~'
        : ''
      : paintOutcome(paint, overhead.outcome, outcomeText(overhead))
  // A control is the noise floor: it can't be told from itself.
  const isNoise =
    !isControl(comparison) &&
    isInsideNoise(overhead, noiseFloorFor(controlsOf(record.comparisons), comparison, overhead.of))
  return [said, isNoise ? paint('quiet', 'within noise') : ''].filter((part) => part !== '').join('  ')
}

function figureCells(comparison: Comparison, overhead: Overhead, wide: boolean, paint: Paint): string[] {
  return [
    overhead.of,
    values(comparison, overhead),
    overhead.relative === null ? paint('unsure', 'unresolved') : estimateText(overhead),
    `n=${overhead.blocks}${wide ? ' blocks' : ''}`,
  ]
}

/** The rows of one pair of arms. A verdict or a reason without room goes below its row instead of widening every other. */
function rowLines(
  record: MeshmarkRecord,
  comparison: Comparison,
  overheads: readonly Overhead[],
  columns: number,
  paint: Paint,
): string[] {
  const wide = columns >= 110
  const gap = wide ? 3 : 2
  const figures = table(
    [column(3), column(gap), column(gap), column(gap)],
    overheads.map((overhead) => figureCells(comparison, overhead, wide, paint)),
  )
  const width = Math.max(...figures.map(textWidth)) + gap
  return overheads.flatMap((overhead, at) => {
    const line = figures[at] ?? ''
    const said = verdict(record, comparison, overhead, paint)
    const besides = line + ' '.repeat(width - textWidth(line)) + said
    // One reason often holds for every metric: said once, after the last of them.
    const isRepeated = overheads[at + 1]?.unresolved === overhead.unresolved
    const reason = overhead.unresolved === null || isRepeated ? [] : wrap(overhead.unresolved, columns, REASON_INDENT)
    return textWidth(besides) <= columns ? [besides, ...reason] : [line, REASON_INDENT + said, ...reason]
  })
}

function pairLines(record: MeshmarkRecord, comparison: Comparison, columns: number, paint: Paint): string[] {
  const pairs = Map.groupBy(comparison.overheads.filter(isPrinted), ({ arm, over }) => JSON.stringify([arm, over]))
  return [...pairs.values()].flatMap((overheads) => {
    const [first] = overheads
    if (first === undefined) return []
    const ordered = overheads.toSorted((a, b) => METRICS.indexOf(a.of) - METRICS.indexOf(b.of))
    const arms = `${nameOfArm(comparison, first.arm)} against ${nameOfArm(comparison, first.over)}`
    const title = wrap(`${paint('strong', comparisonTitle(comparison))}   ${arms}`, columns, ' ', '   ')
    return [...title, ...rowLines(record, comparison, ordered, columns, paint), '']
  })
}

/** Every comparison, in the order of the record. */
export function rowTable(record: MeshmarkRecord, columns: number, paint: Paint): string[] {
  const lines = record.comparisons.flatMap((comparison) => {
    const pairs = pairLines(record, comparison, columns, paint)
    if (pairs.length > 0) return pairs
    return [` ${comparisonTitle(comparison)}: no overhead was computed`, '']
  })
  if (lines.length === 0) return []
  const legend =
    "95 % intervals; positive is dearer; ~ no clear difference; values are each arm's own, estimates are of pairs"
  return [...wrap(legend, columns, ' ').map((line) => paint('quiet', line)), ...lines]
}
