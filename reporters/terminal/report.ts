import type { MeshmarkRecord } from '../../measure/record.ts'
import { breakdownTable } from './breakdown-table.ts'
import { caption } from './caption.ts'
import { chartTables } from './chart-table.ts'
import { closing } from './closing.ts'
import { headlineTable } from './headline-table.ts'
import { kernelTable } from './kernel-table.ts'
import { notes } from './notes.ts'
import { type Paint, plain } from './paint.ts'
import { policyTable } from './policy-table.ts'
import { rowTable } from './row-table.ts'
import { finished } from './text.ts'

/** How to render for a terminal. */
export interface TerminalOptions {
  /** Width to lay out for; readable from 80, all tables side by side from about 150. */
  columns?: number
  /** Plain text unless a paint is given. */
  paint?: Paint
  /** Where the record lies, for the hint at the end. */
  recordPath?: string
}

/** The whole report of a run as terminal text: a pure function of the record. */
export function terminalReport(record: MeshmarkRecord, options: TerminalOptions = {}): string {
  const { columns = 100, paint = plain, recordPath = 'meshmark-results/record.json' } = options
  return finished([
    '',
    ...caption(record, columns, paint),
    '',
    ...headlineTable(record, columns, paint),
    ...policyTable(record, columns, paint),
    ...chartTables(record, columns, paint),
    ...rowTable(record, columns, paint),
    ...breakdownTable(record, columns, paint),
    ...kernelTable(record, columns, paint),
    ...notes(record, columns, paint),
    ...closing(record, recordPath, columns, paint),
  ])
}
