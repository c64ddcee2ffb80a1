import { readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { execa, execaSync } from 'execa'
import { LabError } from './lab-error.ts'
import { markOfRun, podMark } from './program-environment.ts'

const NETNS_DIR = '/run/netns'
const OURS = /^mm-([0-9a-f]{6})-(?:node(?:-[a-z-]+)?|client|stranger|outside|p\d+)$/

/** Programs of one pod of a run, or of all of them. */
export interface PodMark {
  readonly runId: string
  readonly place?: string
}

/** Everything of a run is found again from these names alone. */
export function namespaceName(runId: string, place: string): string {
  return `mm-${runId}-${place}`
}

export function namespacePath(name: string): string {
  return join(NETNS_DIR, name)
}

/** All of the lab's namespaces on this machine, or those of one run. */
export function listNamespaces(runId?: string): { name: string; runId: string }[] {
  const found: { name: string; runId: string }[] = []
  for (const name of entries(NETNS_DIR)) {
    const id = OURS.exec(name)?.[1]
    if (id !== undefined && (runId === undefined || id === runId)) found.push({ name, runId: id })
  }
  return found
}

/** The mark of a program that works on one of the lab's namespaces. */
export function markOfNamespace(name: string): Record<string, string> {
  const runId = OURS.exec(name)?.[1]
  return runId === undefined ? {} : markOfRun(runId)
}

export async function addNamespaces(names: readonly string[]): Promise<void> {
  const input = names.map((name) => `netns add ${name}\n`).join('')
  const result = await execa('ip', ['-batch', '-'], { input, env: markOfNamespace(names[0] ?? ''), reject: false })
  if (result.failed) {
    throw new LabError(
      `Could not make the network namespaces ${names.join(', ')}: ${result.stderr || result.shortMessage || ''}. CAP_SYS_ADMIN is needed: run as root (\`npx meshmark doctor\` checks).`,
    )
  }
}

/** Removes the names; the kernel takes the devices in them away as their last process ends. */
export function deleteNamespaces(names: readonly string[]): void {
  if (names.length === 0) return
  const input = names.map((name) => `netns del ${name}\n`).join('')
  execaSync('ip', ['-force', '-batch', '-'], { input, reject: false })
  // `ip netns add` that was killed half-way leaves a plain file, which needs no unmounting.
  for (const name of names) rmSync(namespacePath(name), { force: true })
}

/** Pids whose network namespace is one of these. Those in `known` are passed over, and all that are looked at are added to it. */
export function processesIn(names: readonly string[], known?: Set<number>): number[] {
  const wanted = identities(names)
  if (wanted.size === 0) return []
  return pids().filter((pid) => {
    if (known?.has(pid)) return false
    known?.add(pid)
    const identity = namespaceIdentity(`/proc/${pid}/ns/net`)
    return identity !== undefined && wanted.has(identity)
  })
}

/**
 * Ends every process in these namespaces, and those that carry `mark` in their environment, children that are born
 * meanwhile included. Synchronous; returns those that wouldn't end within 2 s.
 */
export function endProcesses(names: readonly string[], mark: PodMark): number[] {
  const deadline = Date.now() + 2000
  for (;;) {
    const pids = [...new Set([...processesIn(names), ...markedProcesses(mark)])]
    if (pids.length === 0 || Date.now() > deadline) return pids
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // Ended by itself.
      }
    }
    pause(2)
  }
}

/** Pids of programs that the lab started for a pod, or for any pod of a run. */
function markedProcesses({ runId, place }: PodMark): number[] {
  const mark = podMark(runId, place)
  return pids().filter((pid) => {
    const variables = environment(pid)
    return place === undefined ? variables.some((variable) => variable.startsWith(mark)) : variables.includes(mark)
  })
}

function environment(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0')
  } catch {
    return []
  }
}

function pids(): number[] {
  return entries('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
}

/** Device and inode of a namespace: what tells namespaces apart (namespaces(7)). */
export function namespaceIdentity(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path)
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}

function identities(names: readonly string[]): Set<string> {
  const wanted = new Set<string>()
  for (const name of names) {
    const identity = namespaceIdentity(namespacePath(name))
    if (identity !== undefined) wanted.add(identity)
  }
  // A name must never lead to the host's own processes, whatever is mounted there.
  for (const never of ['/proc/1/ns/net', '/proc/self/ns/net']) {
    const identity = namespaceIdentity(never)
    if (identity !== undefined) wanted.delete(identity)
  }
  return wanted
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

function entries(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
