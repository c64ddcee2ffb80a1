import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive, readOwner } from './owner.ts'
import type { Owner } from './owner.ts'

/** Where runs keep their state: on a tmpfs, so that a reboot leaves nothing. */
export const STATE_ROOT = '/run/meshmark'

/** A directory without a readable owner is being made just now, unless it is older than this. */
const UNOWNED_GRACE_MS = 5000

const RUN_ID = /^[0-9a-f]{6}$/

/** A run that left a directory: of a living owner, or to be removed. */
export interface RunListing {
  readonly runId: string
  readonly dir: string
  readonly alive: boolean
  /** Undefined where owner.json can't be read. */
  readonly owner: Owner | undefined
}

export function runDirectory(runId: string): string {
  return join(STATE_ROOT, runId)
}

/** Makes the run's directory with its owner in it, before anything else of the run exists. */
export function createRunDirectory(owner: Owner): string {
  const dir = runDirectory(owner.runId)
  mkdirSync(STATE_ROOT, { recursive: true, mode: 0o755 })
  mkdirSync(dir, { mode: 0o755 })
  writeWhole(join(dir, 'owner.json'), `${JSON.stringify(owner)}\n`)
  return dir
}

export function removeRunDirectory(runId: string): void {
  rmSync(runDirectory(runId), { recursive: true, force: true })
}

/** Every run on this machine that has a directory, the living and the dead. Reads only. */
export function listRuns(): RunListing[] {
  const runs: RunListing[] = []
  for (const runId of entries(STATE_ROOT)) {
    if (!RUN_ID.test(runId)) continue
    const dir = runDirectory(runId)
    const owner = readOwner(join(dir, 'owner.json'))
    runs.push({ runId, dir, owner, alive: owner ? isAlive(owner) : isYoung(dir) })
  }
  return runs
}

/** Writes a file that readers see whole or not at all. */
export function writeWhole(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`
  writeFileSync(temporary, text)
  renameSync(temporary, file)
}

function isYoung(dir: string): boolean {
  try {
    return Date.now() - statSync(dir).mtimeMs < UNOWNED_GRACE_MS
  } catch {
    // Removed between the listing and now: nothing left to reap.
    return true
  }
}

function entries(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
