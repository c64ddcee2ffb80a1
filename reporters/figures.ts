/**
 * Numbers as people read them: at most four significant digits, a real minus sign, units with a no-break space (the
 * renderers turn it into a plain one after wrapping). An absent figure is `–`, never a zero.
 */
import type { Budget, Metric, Overhead } from '../measure/record.ts'

/** What stands where nothing was measured. */
export const ABSENT = '–'
const MINUS = '−'
/** Keeps a number and its unit on one line until the text is laid out. */
export const NBSP: string = '\u00a0'

const grouped = new Map<number, Intl.NumberFormat>()

function fixed(value: number, decimals: number): string {
  let format = grouped.get(decimals)
  if (format === undefined) {
    format = new Intl.NumberFormat('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
    grouped.set(decimals, format)
  }
  const text = format.format(Math.abs(value))
  const isZero = !/[1-9]/.test(text)
  return value < 0 && !isZero ? MINUS + text : text
}

/** Four significant digits at most, with enough decimals to tell small numbers apart: `8.21`, `71.2`, `541.0`, `31,200`. */
export function figure(value: number): string {
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size >= 10_000) return fixed(Number(value.toPrecision(4)), 0)
  if (size >= 999.95) return fixed(value, 0)
  return fixed(value, size < 9.995 ? 2 : 1)
}

/** `figure`, or `–` where there is none. */
export const figureOrAbsent = (value: number | null | undefined): string =>
  value === null || value === undefined ? ABSENT : figure(value)

/** `18 µs`, `0.42 µs`, `212 µs`. */
export function microseconds(us: number | null | undefined): string {
  if (us === null || us === undefined) return ABSENT
  const size = Math.abs(us)
  return `${size >= 10 && size < 1000 ? fixed(us, size < 100 ? 1 : 0) : figure(us)}${NBSP}µs`
}

/** `640 kB`, `11 MB`, `1.2 GB`: powers of 1,000. */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return ABSENT
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let size = value
  let unit = 0
  while (Math.abs(size) >= 999.5 && unit < units.length - 1) {
    size /= 1000
    unit += 1
  }
  return `${fixed(size, unit > 0 && Math.abs(size) < 9.95 ? 1 : 0)}${NBSP}${units[unit] ?? 'B'}`
}

/** `4 min 12 s`, `70 s`, `9.1 s`. */
export function duration(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 119.95) return `${fixed(seconds, 1).replace(/\.0$/, '')}${NBSP}s`
  const whole = Math.round(seconds)
  const rest = whole % 60
  return `${fixed(Math.floor(whole / 60), 0)}${NBSP}min${rest === 0 ? '' : `${NBSP}${rest}${NBSP}s`}`
}

function percentDecimals(values: readonly number[], halfWidth: number): number {
  const size = Math.max(...values.map(Math.abs))
  if (size >= 1000) return 0
  if (size >= 100) return halfWidth < 0.5 ? 1 : 0
  if (size >= 10) return halfWidth < 2 ? 1 : 0
  return halfWidth < 0.195 ? 2 : 1
}

function signed(percent: number, decimals: number): string {
  const text = fixed(percent, decimals)
  return /[1-9]/.test(text) && percent > 0 ? `+${text}` : text
}

/** A signed change: `+3.6 %`, `−0.9 %`, `+668 %`; 0 has no sign. */
export function change(fraction: number): string {
  const percent = fraction * 100
  return `${signed(percent, percentDecimals([percent], Number.POSITIVE_INFINITY))}${NBSP}%`
}

/** An estimate with its interval: `+3.6 % [+3.4, +3.8]`; as many decimals as the interval earns. */
export function estimate(relative: number, low: number | null, high: number | null): string {
  if (low === null || high === null) return change(relative)
  const percents = [relative * 100, low * 100, high * 100]
  const decimals = percentDecimals(percents, (high - low) * 50)
  const [middle = '', from = '', to = ''] = percents.map((percent) => signed(percent, decimals))
  return `${middle}${NBSP}% [${from},${NBSP}${to}]`
}

/** The interval alone, for bounds that belong to no estimate: `[+3.4 %, +3.8 %]`. */
export function bounds(low: number, high: number): string {
  const decimals = percentDecimals([low * 100, high * 100], (high - low) * 50)
  return `[${signed(low * 100, decimals)},${NBSP}${signed(high * 100, decimals)}]${NBSP}%`
}

const shortest = (value: number): string => fixed(value, 2).replace(/\.?0+$/, '')

/** An unsigned share: `62 %`, `0.5 %`. */
export const share = (fraction: number): string => `${shortest(fraction * 100)}${NBSP}%`

/** A budget: `3 %`, `0.5 %`, `900 %`, `3 % or 20 µs`. */
export function budgetFigure({ relative, atLeastUs }: Budget): string {
  const floor = atLeastUs === undefined ? '' : ` or ${shortest(atLeastUs)}${NBSP}µs`
  return `${share(relative)}${floor}`
}

/** Half a width: `±0.2 %`. */
export function plusMinus(fraction: number): string {
  const percent = fraction * 100
  return `±${fixed(percent, percent < 0.195 ? 2 : percentDecimals([percent], Number.POSITIVE_INFINITY))}${NBSP}%`
}

/** An absolute value of a metric with its unit. */
export function metricValue(of: Metric, value: number | null | undefined): string {
  if (value === null || value === undefined) return ABSENT
  if (of === 'throughput') return `${figure(value)}${NBSP}/s`
  return of === 'memory' ? bytes(value) : microseconds(value)
}

/** `< 3 %`, `< 3 % or 20 µs`, `faster`: what was asked of an overhead. */
export function askedOf({ claim, budget }: Pick<Overhead, 'claim' | 'budget'>): string {
  if (claim === 'faster') return 'faster'
  return budget === null ? 'no budget' : `<${NBSP}${budgetFigure(budget)}`
}
