import { existsSync, mkdirSync, utimesSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { upLab } from './index.ts'
import { listNamespaces } from './namespaces.ts'
import { reapDeadRuns } from './reap.ts'
import { listRuns, runDirectory } from './run-dir.ts'
import { leftovers } from './testing/leftovers.ts'
import { startProgram } from './testing/program.ts'

const WAIT = { timeout: 600_000 }

test('a run that was killed when it was up is removed; a living neighbour is not touched', WAIT, async () => {
  const neighbour = startProgram('hold-run')
  const [neighbourId = '', sleeper = ''] = (await neighbour.line('')).split(' ')
  const owner = startProgram('hold-lab')
  const runId = (await owner.line('up')).split(' ')[1] ?? ''
  await owner.line('deployed')
  expect(reapDeadRuns(() => {}).map((run) => run.runId)).not.toContain(runId)

  await owner.kill()
  expect(leftovers(runId).length).toBeGreaterThan(5)
  const notices: string[] = []
  const reaped = reapDeadRuns((line) => notices.push(line))
  expect(reaped).toContainEqual({ runId, namespaces: 4, owner: { pid: owner.pid, cwd: process.cwd() } })
  expect(notices.join('\n')).toContain(
    `Removed what run ${runId} (pid ${owner.pid} in ${process.cwd()}, no longer running) left: 4 network namespaces and their processes.`,
  )
  expect(leftovers(runId)).toEqual([])

  expect(listRuns().find((run) => run.runId === neighbourId)?.alive).toBe(true)
  expect(listNamespaces(neighbourId)).toHaveLength(1)
  expect(existsSync(`/proc/${sleeper}/exe`)).toBe(true)
  await neighbour.kill()
  reapDeadRuns(() => {})
  expect(leftovers(neighbourId)).toEqual([])
  expect(existsSync(`/proc/${sleeper}/exe`)).toBe(false)
})

test('killed at any moment while it comes up, the next start removes it and takes its place', WAIT, async () => {
  for (const delayMs of [0, 15, 40, 80, 150, 300]) {
    // oxlint-disable-next-line no-await-in-loop -- one lab at a time
    expect({ delayMs, left: await killAfter(delayMs) }).toEqual({ delayMs, left: [] })
  }
})

/** What is left of a run that was killed so long after its first sign of life, once the next one is up and down. */
async function killAfter(delayMs: number): Promise<string[]> {
  const before = new Set(listRuns().map((run) => run.runId))
  const owner = startProgram('hold-lab')
  // From its first sign of life, or from `up` where it had to wait for another run of this machine.
  await Promise.race([appeared(before, owner.pid), owner.line('up')])
  await sleep(delayMs)
  const runId = listRuns().find((run) => run.owner?.pid === owner.pid)?.runId
  await owner.kill()
  const next = await upLab({ waitMs: 500_000 }, () => {})
  const left = [
    ...(runId === undefined ? [] : leftovers(runId)),
    ...listRuns()
      .filter((run) => run.owner?.pid === owner.pid)
      .map((run) => run.dir),
  ]
  next.down()
  return [...left, ...leftovers(next.runId)]
}

async function appeared(before: ReadonlySet<string>, pid: number): Promise<void> {
  while (!listRuns().some((run) => !before.has(run.runId) && run.owner?.pid === pid)) await sleep(2)
}

test('two starters: the second waits for the first, says for whom, and has the lab after it', WAIT, async () => {
  const first = startProgram('hold-lab')
  await first.line('up')
  const second = startProgram('hold-lab')
  expect(await second.line('notice Another')).toContain(
    `notice Another meshmark run (pid ${first.pid} in ${process.cwd()}) has the lab of this machine: waiting for it, up to 300 s.`,
  )
  await expect(upLab({ waitMs: 0 }, () => {})).rejects.toThrow('two at once would measure each other')
  await first.kill()
  const runId = (await second.line('up')).split(' ')[1] ?? ''
  expect(listRuns().filter((run) => run.owner?.pid === first.pid)).toEqual([])
  await second.kill()
  reapDeadRuns(() => {})
  expect(leftovers(runId)).toEqual([])
})

test('a process that exits without calling down() leaves nothing', WAIT, async () => {
  const program = `import { upLab } from '${new URL('index.ts', import.meta.url).href}'
    const lab = await upLab({ waitMs: 300000 }, () => {})
    console.log(lab.runId)
    process.exit(0)`
  const { stdout } = await execa(process.execPath, ['--input-type=module-typescript', '-e', program])
  expect(stdout).toMatch(/^[0-9a-f]{6}$/)
  expect(leftovers(stdout)).toEqual([])
})

test('namespaces without a directory, and old directories without an owner, belong to dead runs; a fresh one may be coming up', () => {
  const [orphan, old, fresh] = ['0000aa', '0000bb', '0000cc'] as const
  return execa('ip', ['netns', 'add', `mm-${orphan}-node`]).then(() => {
    for (const runId of [old, fresh]) mkdirSync(runDirectory(runId), { recursive: true })
    const minuteAgo = Date.now() / 1000 - 60
    utimesSync(runDirectory(old), minuteAgo, minuteAgo)
    const reaped = reapDeadRuns(() => {}).map((run) => run.runId)
    expect(reaped).toEqual(expect.arrayContaining([orphan, old]))
    expect(reaped).not.toContain(fresh)
    expect(leftovers(orphan)).toEqual([])
    const hourAgo = Date.now() / 1000 - 3600
    utimesSync(runDirectory(fresh), hourAgo, hourAgo)
    expect(reapDeadRuns(() => {}).map((run) => run.runId)).toContain(fresh)
  })
})
