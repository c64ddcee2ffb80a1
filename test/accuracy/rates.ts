/** How the simulations print rates. */
import { normalQuantile } from '../../measure/statistics/normal-distribution.ts'

export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Wilson's limits of a proportion, one-sided 99 % each. */
export function limits(share: number, of: number): { lower: number; upper: number } {
  const z = normalQuantile(0.99)
  const center = share + z ** 2 / (2 * of)
  const spread = z * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2))
  const scale = 1 + z ** 2 / of
  return { lower: (center - spread) / scale, upper: (center + spread) / scale }
}

export const percent = (share: number): string => `${(share * 100).toFixed(2)}%`.padStart(8)
