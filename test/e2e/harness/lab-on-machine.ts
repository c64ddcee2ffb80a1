/** What a run has on this machine, looked at from outside: nothing of meshmark's own code is used. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { VitestProcess } from './run-bench.ts'

type Process = Pick<VitestProcess, 'nodeChildProcess'>

const STATE_ROOT = '/run/meshmark'
/** Others may have the machine's lab: a run waits for them. */
const APPEARS_WITHIN_MS = 110_000

export interface RunOnMachine {
  readonly runId: string
  readonly pid: number
}

/** The run of a Vitest, as soon as its first trace is there. @throws Error when Vitest ends without one */
export async function runOf(vitest: VitestProcess): Promise<RunOnMachine> {
  const { pid = -1 } = vitest
  const runId = await until(vitest, 'has a lab', () =>
    entries(STATE_ROOT).find((name) => pidIn(join(STATE_ROOT, name, 'owner.json')) === pid),
  )
  return { runId, pid }
}

/** The run whose Vitest was started in this folder, if there is one. */
export function runIn(directory: string): string | undefined {
  const where = `"cwd":${JSON.stringify(directory)}`
  return entries(STATE_ROOT).find((name) => read(join(STATE_ROOT, name, 'owner.json')).includes(where))
}

/** Polls until `look` finds something. @throws Error when Vitest ends before */
export async function until<T>(vitest: Process, what: string, look: () => T | undefined): Promise<T> {
  const deadline = performance.now() + APPEARS_WITHIN_MS
  while (performance.now() < deadline) {
    const found = look()
    if (found !== undefined) return found
    const { exitCode, signalCode } = vitest.nodeChildProcess
    if (exitCode !== null || signalCode !== null) throw new Error(`Vitest ended before it ${what}`)
    await sleep(3)
  }
  throw new Error(`Vitest did not come to where it ${what}`)
}

/** Waits for a line of output. */
export async function untilSaid(vitest: VitestProcess, pattern: RegExp): Promise<void> {
  let said = ''
  for (const stream of [vitest.stdout, vitest.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()))
  await until(vitest, `says ${pattern}`, () => (pattern.test(said) ? true : undefined))
}

/** Everything of a run that is still there: empty after a clean end. */
export function leftoversOf({ runId, pid }: RunOnMachine): string[] {
  return [
    ...namespacesOf(runId).map((name) => `namespace ${name}`),
    ...processesOf(runId).map(({ command }) => `process ${command}`),
    ...(existsSync(join(STATE_ROOT, runId)) ? [`directory ${join(STATE_ROOT, runId)}`] : []),
    ...(pidIn(join(STATE_ROOT, 'lock')) === pid ? ['the lock'] : []),
    ...entries(tmpdir())
      .filter((name) => name.startsWith('meshmark-') && name.includes(String(pid)))
      .map((name) => `temporary ${name}`),
  ]
}

export function namespacesOf(runId: string): string[] {
  return entries('/run/netns').filter((name) => name.startsWith(`mm-${runId}-`))
}

/** Programs that the lab started for a run, by the mark in their environment. */
export function processesOf(runId: string): { pid: number; command: string }[] {
  return pids()
    .filter((pid) => read(`/proc/${pid}/environ`).includes(`MESHMARK_POD=${runId}/`))
    .map((pid) => ({ pid, command: commandOf(pid) }))
}

/** Vitest's workers: children of its main process. */
export function workersOf(vitest: number): number[] {
  return pids().filter((pid) => {
    const stat = read(`/proc/${pid}/stat`)
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    return parent === vitest && commandOf(pid).includes('/vitest/dist/workers/forks.js')
  })
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()
}

function pidIn(file: string): number | undefined {
  return Number(/"pid":(\d+)/.exec(read(file))?.[1] ?? Number.NaN)
}

function pids(): number[] {
  return entries('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
