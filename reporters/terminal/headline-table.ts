/** The headline table: one block per spec, the baseline first, then every mesh. */
import { basename } from 'node:path'
import type { EnvironmentDescription, MeshmarkRecord, Overhead } from '../../measure/record.ts'
import { armName } from '../arm-name.ts'
import { ABSENT, askedOf, bytes, estimate, figureOrAbsent, microseconds, NBSP } from '../figures.ts'
import { type HeadlineRow, type HeadlineTest, headline } from '../headline.ts'
import { type Paint, paintOutcome } from './paint.ts'
import { type Column, type ColumnGroup, stackedTable } from './table.ts'
import { wrap } from './text.ts'

const right = (...heading: string[]): Column => ({ heading, align: 'right', gap: 4 })
const left = (...heading: string[]): Column => ({ heading, align: 'left', gap: 3 })

const LATENCY: ColumnGroup = [
  right('req/s'),
  right('avg', 'µs'),
  right('p50', 'µs'),
  right('p95', 'µs'),
  right('p99', 'µs'),
]
const COST: ColumnGroup = [
  { ...right('', 'app'), over: { text: 'cpu/request', spans: 2 } },
  right('', 'mesh'),
  { ...right('', 'data'), over: { text: 'memory', spans: 2 } },
  { ...right('', 'control'), gap: 2 },
  right('sidecars'),
]
const OVERHEAD: ColumnGroup = [left('p50 against baseline'), left('')]

/** How the groups stand: all beside each other where there is room, else the overhead before what it costs. */
const WIDE: readonly ColumnGroup[] = [LATENCY, COST, OVERHEAD]
const NARROW: readonly ColumnGroup[] = [LATENCY, OVERHEAD, COST]

const WORST_FIRST = ['fail', 'inconclusive', 'pass']

/** The judged p50 overhead that matters most, else the measured one. */
function leadingOverhead(overheads: readonly Overhead[]): Overhead | undefined {
  const rank = ({ outcome }: Overhead): number => (outcome === null ? WORST_FIRST.length : WORST_FIRST.indexOf(outcome))
  return overheads.toSorted((a, b) => rank(a) - rank(b))[0]
}

function overheadCells({ overheads }: HeadlineRow, paint: Paint): string[] {
  if (overheads === null) return [paint('quiet', 'reference'), '']
  const overhead = leadingOverhead(overheads)
  if (overhead === undefined) return [ABSENT, '']
  const text = overhead.relative === null ? 'unresolved' : estimate(overhead.relative, overhead.low, overhead.high)
  if (overhead.outcome === null) return [text, '']
  return [text, paintOutcome(paint, overhead.outcome, `${overhead.outcome}  ${askedOf(overhead)}`)]
}

const cells = (row: HeadlineRow, paint: Paint): Map<ColumnGroup, readonly string[]> =>
  new Map([
    [
      LATENCY,
      [
        figureOrAbsent(row.requestsPerS),
        ...[row.latencyUs?.mean, row.latencyUs?.p50, row.latencyUs?.p95, row.latencyUs?.p99].map(figureOrAbsent),
      ],
    ],
    [
      COST,
      [
        microseconds(row.cpuAppUs),
        microseconds(row.cpuMeshUs),
        bytes(row.memoryDataBytes),
        bytes(row.memoryControlBytes),
        String(row.arm.sidecars),
      ],
    ],
    [OVERHEAD, overheadCells(row, paint)],
  ])

const specName = (spec: string): string => basename(spec).replace(/\.(bench|benchmark)\.[cm]?[jt]sx?$/, '')

function footnotes(environment: EnvironmentDescription | null, tests: readonly HeadlineTest[]): string[] {
  const rows = tests.flatMap((test) => test.rows)
  const notes: string[] = []
  if (environment?.kind === 'lab' && rows.every((row) => row.memoryControlBytes === null)) {
    notes.push('control plane: none in the lab')
  }
  if (rows.filter((row) => row.overheads !== null).length > 1) {
    notes.push('each overhead is against the baseline measured beside that mesh')
  }
  if (rows.some((row) => row.requestsPerS === null)) notes.push(`req/s${NBSP}${ABSENT}: not measured (plan 'saturate')`)
  if (rows.some((row) => row.latencyUs !== null && row.latencyUs.p99 === null)) {
    notes.push(`p99${NBSP}${ABSENT}: under 10,000 samples an arm`)
  }
  return notes
}

/** The headline tables, one after another; nothing where no comparison is a mesh against the baseline. */
export function headlineTable(record: MeshmarkRecord, columns: number, paint: Paint): string[] {
  const tests = headline(record)
  const specs = Map.groupBy(tests, (test) => test.spec)
  const lines = [...specs].flatMap(([spec, ofSpec]) => {
    // One column layout for the whole spec, so that its tests can be read down; a test's name leads its rows.
    const titled = ofSpec.length > 1
    const rows = ofSpec.flatMap(({ test, rows: ofTest }) => [
      ...(titled ? [{ lead: paint('quiet', test), cells: new Map<ColumnGroup, readonly string[]>() }] : []),
      ...ofTest.map((row) => ({ lead: `${titled ? '  ' : ''}${armName(row.arm)}`, cells: cells(row, paint) })),
    ])
    const lead: Column = { heading: [paint('strong', specName(spec))], align: 'left', gap: 1 }
    const beside = stackedTable(lead, WIDE, rows, columns)
    return (beside.length === 1 ? beside : stackedTable(lead, NARROW, rows, columns)).flatMap((table) => [...table, ''])
  })
  const notes = footnotes(record.environment, tests)
  if (lines.length === 0 || notes.length === 0) return lines
  return [...lines.slice(0, -1), ...wrap(notes.join(' · '), columns, ' ').map((line) => paint('quiet', line)), '']
}
