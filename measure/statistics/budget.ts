import type { Budget } from '../record.ts'
import { parseDurationUs, parsePercent } from './quantity.ts'

/** A budget as written in a spec: `'3%'`, `0.03`, or `{ relative: '3%', atLeast: '20us' }` (dearer than both fails, else it passes). */
export type BudgetInput = string | number | { relative: string | number; atLeast?: string }

const FORMS = `a budget is '3%', 0.03 or { relative: '3%', atLeast: '20us' }`

/**
 * Reads a budget into fractions and µs.
 * @throws TypeError that says what was given and what is understood.
 */
export function parseBudget(input: BudgetInput): Budget {
  if (typeof input === 'string' || typeof input === 'number') return { relative: parsePercent(input) }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new TypeError(`Budget ${JSON.stringify(input) ?? String(input)} is not understood: ${FORMS}`)
  }
  const unknown = Object.keys(input).filter((key) => key !== 'relative' && key !== 'atLeast')
  if (unknown.length > 0) throw new TypeError(`Budget has ${unknown.join(', ')}, which is not understood: ${FORMS}`)
  if (input.relative === undefined)
    throw new TypeError(`Budget ${JSON.stringify(input)} has no relative part: ${FORMS}`)
  const relative = parsePercent(input.relative)
  return input.atLeast === undefined ? { relative } : { relative, atLeastUs: parseDurationUs(input.atLeast) }
}
