/** Charts as text: a row for each series, a column for each number of rules. */
import type { Chart, MeshmarkRecord } from '../../measure/record.ts'
import { ABSENT, estimate, microseconds } from '../figures.ts'
import type { Paint } from './paint.ts'
import { type Column, table } from './table.ts'

/** Nothing where the record has no chart. */
export function chartTables(record: MeshmarkRecord, _columns: number, paint: Paint): string[] {
  return record.charts.flatMap((chart) => [...chartTable(chart, paint), ''])
}

function chartTable({ title, series, y }: Chart, paint: Paint): string[] {
  const xs = [...new Set(series.flatMap(({ points }) => points.map(({ x }) => x)))].toSorted((a, b) => a - b)
  const columns: Column[] = [
    { heading: [paint('strong', title), `${y} over the fewest`], align: 'left', gap: 1 },
    ...xs.map((x): Column => ({ heading: ['', x.toLocaleString('en-US')], align: 'right', gap: 3 })),
  ]
  return table(
    columns,
    series.map(({ name, standIn, points }) => [
      standIn ? `${name} (lab)` : name,
      ...xs.map((x) => {
        const point = points.find((each) => each.x === x)
        if (point === undefined || point.relative === null) return ABSENT
        return point === points[0] ? microseconds(point.valueUs) : estimate(point.relative, point.low, point.high)
      }),
    ]),
  )
}
