/** The run's A/A comparisons on disk, for matchers in later projects (each runs in a worker of its own). */
import { readFileSync, writeFileSync } from 'node:fs'
import { type Control, controlsOf } from '../noise-floor.ts'
import type { Comparison } from '../record.ts'

/** Remembers a comparison, if it is one of the baseline with itself. */
export function rememberControl(file: string, comparison: Comparison): void {
  const [control] = controlsOf([comparison])
  if (control !== undefined) writeFileSync(file, JSON.stringify([...readControls(file), control]))
}

/** Those of the run until now; none where there is no file yet. */
export function readControls(file: string): Control[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Control[]
  } catch {
    return []
  }
}
