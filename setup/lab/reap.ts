import { join } from 'node:path'
import { listRunCgroups, removeRunCgroup } from './cgroup.ts'
import { dropDeadLock } from './machine-lock.ts'
import { deleteNamespaces, endProcesses, listNamespaces } from './namespaces.ts'
import { isAlive, readOwner } from './owner.ts'
import { listRuns, removeRunDirectory, runDirectory } from './run-dir.ts'

/** What was removed of a run whose owner is dead. */
export interface ReapedRun {
  readonly runId: string
  readonly namespaces: number
  /** Its owner's pid and directory, where they were still readable. */
  readonly owner: { readonly pid: number; readonly cwd: string } | undefined
}

/**
 * Removes what dead runs left: their processes, namespaces and directories. Never a living neighbour's.
 * Orphan namespaces without a directory belong to a dead run as well: a run makes its directory first and removes it last.
 */
export function reapDeadRuns(onNotice: (line: string) => void): ReapedRun[] {
  // Namespaces are listed before the runs: a run that starts in between has its directory by the time that is looked for.
  const namespaces = listNamespaces()
  const cgroups = listRunCgroups()
  const runs = listRuns()
  const known = new Set(runs.map((run) => run.runId))
  const orphans = new Set([...namespaces.map(({ runId }) => runId), ...cgroups].filter((runId) => !known.has(runId)))
  const reaped: ReapedRun[] = []
  for (const runId of [...runs.filter((run) => !run.alive).map((run) => run.runId), ...orphans]) {
    const owner = readOwner(join(runDirectory(runId), 'owner.json'))
    if (owner && isAlive(owner)) continue
    const removed = removeRun(runId)
    // A neighbour that finished while we looked: nothing was left.
    if (orphans.has(runId) && removed === 0) continue
    reaped.push({ runId, namespaces: removed, owner: owner && { pid: owner.pid, cwd: owner.cwd } })
    onNotice(
      `Removed what run ${runId}${owner ? ` (pid ${owner.pid} in ${owner.cwd}, no longer running)` : ''} left: ${removed} network namespaces and their processes.`,
    )
  }
  dropDeadLock()
  return reaped
}

/** Ends a run's processes and removes its namespaces, cgroup and directory, found by its id alone. Synchronous; returns the number of namespaces. */
export function removeRun(runId: string): number {
  const namespaces = (): string[] => listNamespaces(runId).map(({ name }) => name)
  endProcesses(namespaces(), { runId })
  // Listed once more: an `ip` that was caught just now may have made another one.
  const names = namespaces()
  deleteNamespaces(names)
  removeRunCgroup(runId)
  removeRunDirectory(runId)
  return names.length
}
