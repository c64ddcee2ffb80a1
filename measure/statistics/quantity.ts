const US_PER_UNIT: ReadonlyMap<string, number> = new Map([
  ['ns', 0.001],
  ['us', 1],
  // The micro sign and the Greek letter look alike and are both typed.
  ['\u00b5s', 1],
  ['\u03bcs', 1],
  ['ms', 1_000],
  ['s', 1_000_000],
  ['m', 60_000_000],
  ['min', 60_000_000],
])

const NUMBER = String.raw`(\d+(?:\.\d+)?|\.\d+)`
const PERCENT = new RegExp(`^${NUMBER}\\s*%$`)
const DURATION = new RegExp(`^${NUMBER}\\s*([a-z\u00b5\u03bc]+)$`)

function shown(given: unknown): string {
  if (typeof given === 'string') return `'${given}'`
  // JSON has no NaN and no Infinity.
  return typeof given === 'number' ? String(given) : (JSON.stringify(given) ?? String(given))
}

/**
 * Reads `'3%'` or a fraction (`0.03`) into a fraction.
 * @throws TypeError for anything else. Numbers from 1 are refused: `3` could be meant as 3 % or as 300 %.
 */
export function parsePercent(given: string | number): number {
  if (typeof given === 'number') {
    if (given >= 0 && given < 1) return given
    if (given >= 1 && Number.isFinite(given)) {
      throw new TypeError(`${given} may mean ${given}% or ${given * 100}%: write '${given}%' or '${given * 100}%'`)
    }
  } else if (typeof given === 'string') {
    const digits = PERCENT.exec(given.trim())?.[1]
    // Divided, not multiplied by 0.01: '7%' is then the same number as 0.07.
    if (digits !== undefined) return Number(digits) / 100
  }
  throw new TypeError(`${shown(given)} is not a share: '3%' or a fraction from 0 to 1, as 0.03, is`)
}

/**
 * Reads `'20us'`, `'0.3ms'`, `'30s'`, `'2m'` into µs.
 * @throws TypeError for anything else, bare numbers included (their unit would be a guess).
 */
export function parseDurationUs(given: string): number {
  if (typeof given === 'string') {
    const [, digits, unit] = DURATION.exec(given.trim().toLowerCase()) ?? []
    const usPerUnit = US_PER_UNIT.get(unit ?? '')
    if (digits !== undefined && usPerUnit !== undefined) return Number(digits) * usPerUnit
  }
  throw new TypeError(`${shown(given)} is not a time: a number with ns, us, ms, s or m, as '20us' or '30s', is`)
}

/**
 * Reads `'30s'`, `'300ms'`, `'20us'`, `'2m'` into ms.
 * @throws TypeError for anything else, bare numbers included.
 */
export function parseDurationMs(given: string): number {
  return parseDurationUs(given) / 1_000
}
