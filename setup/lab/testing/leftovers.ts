import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { listRunCgroups } from '../cgroup.ts'
import { LOCK_FILE } from '../machine-lock.ts'
import { listNamespaces } from '../namespaces.ts'
import { readOwner } from '../owner.ts'
import { podMark } from '../program-environment.ts'
import { runDirectory } from '../run-dir.ts'

/** Everything on this machine that still belongs to a run: empty after a clean end. */
export function leftovers(runId: string): string[] {
  const left = listNamespaces(runId).map(({ name }) => `namespace ${name}`)
  if (existsSync(runDirectory(runId))) left.push(`directory ${runDirectory(runId)}`)
  if (listRunCgroups().includes(runId)) left.push('cgroup')
  if (readOwner(LOCK_FILE)?.runId === runId) left.push('lock')
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    if (read(`/proc/${pid}/environ`).includes(podMark(runId)))
      left.push(`process ${pid} ${read(`/proc/${pid}/comm`).trim()}`)
  }
  return left
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
