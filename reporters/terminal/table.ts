import { textWidth } from './text.ts'

/** One column: its heading lines and where its cells stand. */
export interface Column {
  /** Heading, one entry a line. */
  heading: readonly string[]
  align: 'left' | 'right'
  /** Spaces in front of it. */
  gap: number
  /** A heading over this column and the following `spans − 1`, on the first line. */
  over?: { text: string; spans: number }
}

/** Columns that stay together; groups that don't fit beside each other go below each other. */
export type ColumnGroup = readonly Column[]

const pad = (text: string, width: number, align: Column['align']): string => {
  const space = ' '.repeat(Math.max(0, width - textWidth(text)))
  return align === 'left' ? text + space : space + text
}

function columnWidths(columns: readonly Column[], rows: readonly (readonly string[])[]): number[] {
  const widths = columns.map((column, at) =>
    Math.max(...column.heading.map(textWidth), ...rows.map((row) => textWidth(row[at] ?? ''))),
  )
  columns.forEach(({ over }, at) => {
    if (over === undefined) return
    let room = 0
    for (let next = at; next < at + over.spans; next += 1) {
      room += (widths[next] ?? 0) + (next === at ? 0 : (columns[next]?.gap ?? 0))
    }
    widths[at] = (widths[at] ?? 0) + Math.max(0, textWidth(over.text) - room)
  })
  return widths
}

function overLine(columns: readonly Column[], widths: readonly number[]): string {
  let line = ''
  let end = 0
  columns.forEach((column, at) => {
    end += column.gap + (widths[at] ?? 0)
    const spanned = columns.slice(at + 1, at + (column.over?.spans ?? 1))
    const spanEnd = spanned.reduce((sum, next, step) => sum + next.gap + (widths[at + 1 + step] ?? 0), end)
    const text = column.over?.text ?? column.heading[0] ?? ''
    if (text === '') return
    line =
      column.align === 'left'
        ? line + ' '.repeat(Math.max(0, end - (widths[at] ?? 0) - textWidth(line))) + text
        : line + pad(text, spanEnd - textWidth(line), 'right')
  })
  return line
}

/** Lays out a table. `rows` hold plain or coloured cells; every line is as wide as it needs to be. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const widths = columnWidths(columns, rows)
  const line = (cells: readonly string[]): string =>
    columns.map((column, at) => ' '.repeat(column.gap) + pad(cells[at] ?? '', widths[at] ?? 0, column.align)).join('')
  const below = Math.max(...columns.map((column) => column.heading.length)) - 1
  const headings = Array.from({ length: below }, (_, at) => line(columns.map((column) => column.heading[at + 1] ?? '')))
  const top = columns.some((column) => column.heading[0] || column.over) ? [overLine(columns, widths)] : []
  return [...top, ...headings, ...rows.map(line)].map((text) => text.trimEnd())
}

/** A table whose column groups are set side by side as far as `width` allows, each row of groups led by `lead`. */
export function stackedTable(
  lead: Column,
  groups: readonly ColumnGroup[],
  rows: readonly { lead: string; cells: ReadonlyMap<ColumnGroup, readonly string[]> }[],
  width: number,
): string[][] {
  const render = (chosen: readonly ColumnGroup[]): string[] =>
    table(
      [lead, ...chosen.flat()],
      rows.map((row) => [row.lead, ...chosen.flatMap((group) => row.cells.get(group) ?? [])]),
    )
  const stacks: ColumnGroup[][] = []
  for (const group of groups) {
    const last = stacks.at(-1)
    if (last !== undefined && Math.max(...render([...last, group]).map(textWidth)) <= width) last.push(group)
    else stacks.push([group])
  }
  return stacks.map(render)
}
