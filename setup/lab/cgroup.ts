import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { LabError } from './lab-error.ts'

const OURS = /^meshmark-([0-9a-f]{6})$/

/** Where the unified hierarchy is mounted: /sys/fs/cgroup, or beside version 1 somewhere below it. Undefined where there is none. */
export function cgroupRoot(mounts = readFileSync('/proc/self/mounts', 'utf8')): string | undefined {
  return mounts
    .split('\n')
    .map((line) => line.split(' '))
    .find(([, , type]) => type === 'cgroup2')?.[1]
}

/** The run's own cgroup: programs of the lab are in it, so that what hooks on it sees nobody else's. */
export function runCgroup(runId: string): string | undefined {
  const root = cgroupRoot()
  return root === undefined ? undefined : join(root, `meshmark-${runId}`)
}

/** @throws LabError where there is no cgroup2 */
export function addRunCgroup(runId: string): string {
  const directory = runCgroup(runId)
  if (directory === undefined) {
    throw new LabError(
      "The lab's cilium resolves service addresses at connect(), by a hook on a cgroup2 directory, and no cgroup2 is mounted",
      'mount one: mount -t cgroup2 none /sys/fs/cgroup/unified',
    )
  }
  mkdirSync(directory, { recursive: true })
  return directory
}

/** Removes the run's cgroup, whose processes have been ended. Synchronous; one that is not there is no error. */
export function removeRunCgroup(runId: string): void {
  const directory = runCgroup(runId)
  if (directory === undefined) return
  const deadline = Date.now() + 1000
  // Busy until the last of its processes is reaped (cgroup-v2.rst, "Organizing Processes and Threads").
  while (existsSync(directory)) {
    try {
      rmdirSync(directory)
    } catch {
      if (Date.now() > deadline) return
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2)
    }
  }
}

/** Runs that have a cgroup on this machine. */
export function listRunCgroups(): string[] {
  const root = cgroupRoot()
  if (root === undefined) return []
  return readdirSync(root).flatMap((name) => OURS.exec(name)?.[1] ?? [])
}
