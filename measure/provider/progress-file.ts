/** Says what is being measured, for the reporter in the main process to print. */
import { renameSync, writeFileSync } from 'node:fs'
import type { Progress } from '../progress.ts'

const LEAST_INTERVAL_MS = 1000

export type ReportProgress = (update: () => Omit<Progress, 'at'>) => void

/** At most one update a second; `update` is called only when one is due. */
export function createProgressFile(path: string): ReportProgress {
  let last = 0
  return (update) => {
    const at = Date.now()
    if (at - last < LEAST_INTERVAL_MS) return
    last = at
    const progress: Progress = { ...update(), at }
    try {
      writeFileSync(`${path}.tmp`, JSON.stringify(progress))
      renameSync(`${path}.tmp`, path)
    } catch {
      // Progress is a courtesy: a full disk must not end a measurement.
    }
  }
}
