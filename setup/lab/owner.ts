import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { identify, isRunning } from './process-identity.ts'

const ownerSchema = v.object({
  runId: v.pipe(v.string(), v.regex(/^[0-9a-f]{6}$/)),
  pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
  startTicks: v.string(),
  bootId: v.string(),
  cwd: v.string(),
  startedAt: v.string(),
})

/** Who made a run: enough to know, from disk alone, whether that process still lives. */
export type Owner = v.InferOutput<typeof ownerSchema>

/** A name for a run: six hexadecimal digits. */
export function newRunId(): string {
  return randomBytes(3).toString('hex')
}

/** This process as the owner of a new run. */
export function newOwner(runId: string = newRunId()): Owner {
  const self = identify(process.pid)
  if (!self) throw new Error('/proc/self/stat is unreadable: meshmark needs a mounted /proc.')
  return {
    runId,
    pid: self.pid,
    startTicks: self.startTicks,
    bootId: bootId(),
    cwd: process.cwd(),
    startedAt: new Date().toISOString(),
  }
}

/** A reboot or a recycled pid never makes a dead owner look alive. */
export function isAlive(owner: Owner): boolean {
  return owner.bootId === bootId() && isRunning(owner)
}

/** Undefined when the file is missing or is no owner's. */
export function readOwner(file: string): Owner | undefined {
  try {
    const parsed = v.safeParse(ownerSchema, JSON.parse(readFileSync(file, 'utf8')))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}

let cachedBootId: string | undefined
function bootId(): string {
  cachedBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return cachedBootId
}
