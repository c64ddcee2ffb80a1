import { type CommandDef, defineCommand } from 'citty'

/** Removes what dead runs left of their labs; runs that are alive are named and left. */
export const clean: CommandDef = defineCommand({
  meta: { name: 'clean', description: 'Remove what crashed runs left behind; runs that are alive are left alone' },
  async run() {
    const { listRuns, reapDeadRuns } = await import('../lab/index.ts')
    const say = (line: string): unknown => process.stdout.write(`${line}\n`)
    let removed = 0
    reapDeadRuns((notice) => {
      removed += 1
      say(notice)
    })
    const live = listRuns().filter((run) => run.alive)
    for (const { runId, owner } of live) {
      say(`Left run ${runId}: ${owner ? `pid ${owner.pid} in ${owner.cwd} is running` : 'it is just starting'}.`)
    }
    if (removed === 0 && live.length === 0) say('Nothing to remove: no run has left anything behind.')
  },
})
