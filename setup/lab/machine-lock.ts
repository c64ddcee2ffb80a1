import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LabError } from './lab-error.ts'
import { isAlive, newOwner, readOwner } from './owner.ts'
import type { Owner } from './owner.ts'
import { STATE_ROOT } from './run-dir.ts'

/** One lab at a time per machine: two would measure each other. */
export const LOCK_FILE: string = join(STATE_ROOT, 'lock')

const POLL_MS = 200

/**
 * Takes the machine's lock for `owner`, waiting for a living holder up to `waitMs`; a dead holder's is taken over.
 * @throws LabError naming the holder when it still lives after `waitMs`.
 */
export async function takeMachineLock(
  owner: Owner,
  waitMs: number,
  onNotice: (line: string) => void,
  file: string = LOCK_FILE,
): Promise<void> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 })
  const deadline = Date.now() + waitMs
  let told: string | undefined
  for (;;) {
    const holder = claim(file, owner)
    if (!holder) break
    const who = `Another meshmark run (pid ${holder.pid} in ${holder.cwd}) has the lab of this machine`
    if (Date.now() >= deadline) {
      throw new LabError(
        `${who}: two at once would measure each other. Wait for it, or end pid ${holder.pid}, and start again.`,
      )
    }
    if (told !== holder.runId) {
      onNotice(`${who}: waiting for it, up to ${Math.round(waitMs / 1000)} s.`)
      told = holder.runId
    }
    await sleep(POLL_MS)
  }
  sweepClaims(file, owner)
}

/** Gives the lock back; does nothing where `owner` doesn't hold it. */
export function releaseMachineLock(owner: Owner, file: string = LOCK_FILE): void {
  if (readOwner(file)?.runId === owner.runId) rmSync(file, { force: true })
}

/** Removes a lock whose holder is dead, by the same rule as taking it over. */
export function dropDeadLock(file: string = LOCK_FILE): void {
  if (!exists(file)) return
  const self = newOwner()
  if (claim(file, self)) return
  sweepClaims(file, self)
  releaseMachineLock(self, file)
}

/**
 * Makes `file` name `owner`, or returns the living holder.
 *
 * link(2) is atomic, so a free name has one winner. A dead holder's file may be replaced only by who holds the claim
 * on that very holder (`lock.<its run id>`, taken by the same rule), and after reading once more that it is still
 * that holder's: two starters that both saw it dead can't both win, nor can one replace the other's fresh lock.
 */
function claim(file: string, owner: Owner): Owner | undefined {
  for (;;) {
    if (linkNew(file, owner)) return undefined
    const holder = readOwner(file)
    if (holder) {
      if (holder.runId === owner.runId) return undefined
      if (isAlive(holder)) return holder
    } else if (!exists(file)) {
      continue
    }
    const holderId = holder?.runId ?? 'unreadable'
    const claimFile = `${file}.${holderId}`
    const rival = claim(claimFile, owner)
    if (rival) return rival
    try {
      if (exists(file) && (readOwner(file)?.runId ?? 'unreadable') === holderId) {
        renameSync(writeTemporary(file, owner), file)
        return undefined
      }
    } finally {
      rmSync(claimFile, { force: true })
    }
  }
}

function linkNew(file: string, owner: Owner): boolean {
  const temporary = writeTemporary(file, owner)
  try {
    linkSync(temporary, file)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(temporary, { force: true })
  }
}

function writeTemporary(file: string, owner: Owner): string {
  const temporary = join(dirname(file), `.${basename(file)}-${process.pid}-${randomBytes(4).toString('hex')}`)
  writeFileSync(temporary, `${JSON.stringify(owner)}\n`)
  return temporary
}

/** Starters that were killed leave claims and temporaries; a claim on anyone but the present holder can win nothing. */
function sweepClaims(file: string, owner: Owner): void {
  const folder = dirname(file)
  for (const name of readdirSync(folder)) {
    const isClaim = name.startsWith(`${basename(file)}.`) && !name.startsWith(`${basename(file)}.${owner.runId}`)
    if (!isClaim && !name.startsWith(`.${basename(file)}-`)) continue
    const leftover = join(folder, name)
    const by = readOwner(leftover)
    if (by && !isAlive(by)) rmSync(leftover, { force: true })
  }
}

function exists(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined
}
