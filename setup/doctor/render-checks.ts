import type { Check } from './check.ts'

const MARKS = { ok: 'ok', warning: 'warning', failed: 'FAILED' } as const

/** The checks as plain lines, each fix under its check, and a last line that sums up. */
export function renderChecks(checks: readonly Check[]): string {
  const nameWidth = Math.max(...checks.map((check) => check.name.length))
  const markWidth = Math.max(...checks.map((check) => MARKS[check.ok].length))
  const lines = checks.flatMap((check) => [
    `${MARKS[check.ok].padEnd(markWidth)}  ${check.name.padEnd(nameWidth)}  ${check.found}`,
    ...(check.fix === undefined || check.ok === 'ok' ? [] : [`${' '.repeat(markWidth + nameWidth + 4)}→ ${check.fix}`]),
  ])
  return `${[...lines, '', summary(checks)].join('\n')}\n`
}

function summary(checks: readonly Check[]): string {
  const failed = checks.filter((check) => check.ok === 'failed').length
  const warnings = checks.filter((check) => check.ok === 'warning').length
  if (failed > 0) return `The lab can't run here: ${failed} of ${checks.length} checks failed.`
  if (warnings > 0) return `The lab can run here; ${warnings} of ${checks.length} checks have a warning.`
  return `The lab can run here: all ${checks.length} checks are ok.`
}
