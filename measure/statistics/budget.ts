import type { Budget } from '../record.ts'
import { parseDurationUs, parsePercent } from './quantity.ts'

/** A budget as written in a spec: `'3%'`, `0.03`, or `{ relative: '3%', atLeast: '20us' }` (dearer than both fails, else it passes). */
export type BudgetInput = string | number | { relative: string | number; atLeast?: string }

const FORMS = `a budget is '3%', 0.03 or { relative: '3%', atLeast: '20us' }`

/** By description, since a spec and its matchers may have loaded this module each for themselves. */
const READ = Symbol.for('meshmark.budget')

/** A budget that need not be read again: 3 may be meant as 3 % in a spec, but is 300 % here. */
export function asRead(budget: Budget): Budget {
  return Object.defineProperty({ ...budget }, READ, { value: true })
}

/**
 * Reads a budget into fractions and µs.
 * @throws TypeError that says what was given and what is understood.
 */
export function parseBudget(input: BudgetInput | Budget): Budget {
  if (isRead(input)) return input
  if (typeof input === 'string' || typeof input === 'number') return { relative: parsePercent(input) }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new TypeError(`Budget ${JSON.stringify(input) ?? String(input)} is not understood: ${FORMS}`)
  }
  const unknown = Object.keys(input).filter((key) => key !== 'relative' && key !== 'atLeast')
  if (unknown.length > 0) throw new TypeError(`Budget has ${unknown.join(', ')}, which is not understood: ${FORMS}`)
  if (input.relative === undefined)
    throw new TypeError(`Budget ${JSON.stringify(input)} has no relative part: ${FORMS}`)
  const relative = parsePercent(input.relative)
  if (!('atLeast' in input) || input.atLeast === undefined) return { relative }
  return { relative, atLeastUs: parseDurationUs(input.atLeast) }
}

function isRead(input: BudgetInput | Budget): input is Budget {
  return typeof input === 'object' && input !== null && READ in input
}
