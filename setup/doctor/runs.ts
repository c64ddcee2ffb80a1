import { listNamespaces } from '../lab/namespaces.ts'
import { listRuns } from '../lab/run-dir.ts'
import type { RunListing } from '../lab/run-dir.ts'
import type { Check } from './check.ts'

/** Runs that have the machine now, and what dead ones left. */
export function checkRuns(
  runs: readonly RunListing[] = listRuns(),
  namespaces: readonly { runId: string }[] = listNamespaces(),
): Check[] {
  const live = runs.filter((run) => run.alive)
  const known = new Set(runs.map((run) => run.runId))
  const orphans = new Set(namespaces.map(({ runId }) => runId).filter((runId) => !known.has(runId)))
  const dead = [...runs.filter((run) => !run.alive).map((run) => run.runId), ...orphans]
  const checks: Check[] = []
  if (live.length > 0) {
    const who = live
      .map((run) => `${run.runId}${run.owner ? ` (pid ${run.owner.pid} in ${run.owner.cwd})` : ''}`)
      .join(', ')
    checks.push({
      name: 'running labs',
      ok: 'warning',
      found: who,
      fix: 'Two labs at once would measure each other: a new run waits until this one ends.',
    })
  }
  if (dead.length > 0) {
    checks.push({
      name: 'dead runs',
      ok: 'warning',
      found: `${dead.join(', ')} left something behind`,
      fix: 'npx meshmark clean (the next run does it, too).',
    })
  }
  return checks.length > 0
    ? checks
    : [{ name: 'other runs', ok: 'ok', found: 'none, and nothing left of earlier ones' }]
}
