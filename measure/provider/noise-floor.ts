/** The run's A/A intervals on disk, for matchers in later projects (each runs in a worker of its own). */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Comparison, Metric } from '../record.ts'

/** How far the A/A interval reaches from 0, by metric, fraction. */
export type NoiseFloor = Partial<Record<Metric, number>>

/** A comparison of the baseline with itself. */
function isNull(comparison: Comparison): boolean {
  return comparison.project === 'baseline' && comparison.arms.some((arm) => arm.name === 'baseline again')
}

/** Remembers the noise floor of a comparison of the baseline with itself; the first one of each metric counts. */
export function writeNoiseFloor(file: string, comparison: Comparison): void {
  if (!isNull(comparison)) return
  const floor = readNoiseFloor(file)
  for (const { of, low, high } of comparison.overheads) {
    if (low !== null && high !== null) floor[of] ??= Math.max(Math.abs(low), Math.abs(high))
  }
  writeFileSync(file, JSON.stringify(floor))
}

export function readNoiseFloor(file: string): NoiseFloor {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as NoiseFloor
  } catch {
    return {}
  }
}
