/** A run that is ended from outside, at each stage: the right exit code, a word on it, and nothing left. */
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { describe, expect, inject, test } from 'vitest'
import {
  leftoversOf,
  namespacesOf,
  runIn,
  type RunOnMachine,
  runOf,
  until,
  untilSaid,
  workersOf,
} from './harness/lab-on-machine.ts'
import { validRecord } from './harness/record.ts'
import { benchFolder, plainEnvironment, startBench, type StartedBench } from './harness/run-bench.ts'
import { configuration, quickSpec } from './harness/sources.ts'
import { whatWentWrong } from './harness/what-went-wrong.ts'

const FILES = { 'vitest.config.ts': configuration('{ gate: true }'), 'a.bench.ts': quickSpec('60s', "'3000%'") }

/** Until when a run is let go on: its first namespaces, the deployment of its first workloads, its first blocks. */
const STAGES = {
  'while the lab comes up': (bench: StartedBench, { runId }: RunOnMachine) =>
    until(bench.child, 'makes namespaces', () => namespacesOf(runId)[0]),
  'while workloads are deployed': (bench: StartedBench, { runId }: RunOnMachine) =>
    until(bench.child, 'deploys', () => (existsSync(`/run/meshmark/${runId}/numbers/1`) ? true : undefined)),
  'while it measures': (bench: StartedBench, { runId }: RunOnMachine) =>
    until(bench.child, 'measures', () => (/"phase":"measuring"/.test(progressOf(runId)) ? true : undefined)),
} as const
type Stage = keyof typeof STAGES
const stages = Object.keys(STAGES) as Stage[]

/** What the run says of itself, for its reporter. */
function progressOf(runId: string): string {
  const file = `/run/meshmark/${runId}/progress.json`
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

/** The run is alive and measures a later block than it did. */
async function goesOn(bench: StartedBench, { runId }: RunOnMachine): Promise<void> {
  const block = (): number => Number(/"block":(\d+)/.exec(progressOf(runId))?.[1] ?? -1)
  const now = block()
  await until(bench.child, 'goes on', () => (block() > now ? true : undefined))
}

/** A run of project istio that has come to this stage. */
async function runAt(stage: Stage): Promise<{ bench: StartedBench; lab: RunOnMachine }> {
  const bench = await startBench({ files: FILES, args: ['--project', 'istio'] })
  try {
    const lab = await runOf(bench.child)
    await STAGES[stage](bench, lab)
    return { bench, lab }
  } catch (error) {
    await bench[Symbol.asyncDispose]()
    throw error
  }
}

const meshmark = (command: string) => {
  const { directory } = inject('packedProject')
  return execa(process.execPath, [`${directory}/node_modules/meshmark/dist/cli.js`, command], {
    cwd: directory,
    env: plainEnvironment(directory),
    extendEnv: false,
    timeout: 60_000,
    all: true,
  })
}

describe.for(stages)('%s', (stage) => {
  test.for([
    // A terminal's Ctrl-C goes to the whole process group, and so does the end of the terminal.
    ['SIGINT', 130, 'group'],
    ['SIGTERM', 143, 'main process'],
    ['SIGHUP', 129, 'group'],
  ] as const)('%s: exit code %i, and nothing is left', async ([signal, exitCode, to]) => {
    const { bench, lab } = await runAt(stage)
    await using _ = bench
    process.kill(to === 'group' ? -lab.pid : lab.pid, signal)
    const run = await bench.finished
    expect({ exitCode: run.exitCode, timedOut: run.timedOut, record: run.record }, whatWentWrong(run)).toEqual({
      exitCode,
      timedOut: false,
      record: undefined,
    })
    expect(run.stderr).toContain(`meshmark  ${signal}: the run ends here, and leaves no record. The lab is taken down.`)
    await expect.poll(() => leftoversOf(lab), { timeout: 5000 }).toEqual([])
  })

  test('kill -9 of Vitest: what it leaves, meshmark clean removes', async () => {
    const { bench, lab } = await runAt(stage)
    await using _ = bench
    process.kill(lab.pid, 'SIGKILL')
    const run = await bench.finished
    expect({ exitCode: run.exitCode, record: run.record }).toEqual({ exitCode: 137, record: undefined })
    expect(leftoversOf(lab)).toContain(`directory /run/meshmark/${lab.runId}`)
    const { all } = await meshmark('clean')
    expect(all).toContain(
      `Removed what run ${lab.runId} (pid ${lab.pid} in ${bench.directory}, no longer running) left: `,
    )
    await expect.poll(() => leftoversOf(lab), { timeout: 5000 }).toEqual([])
  })
})

test('kill -9 of Vitest: what it leaves, the next start removes', async () => {
  const { bench, lab } = await runAt('while it measures')
  await using _ = bench
  process.kill(lab.pid, 'SIGKILL')
  await bench.finished
  const next = await runAt('while the lab comes up')
  await using __ = next.bench
  expect(leftoversOf(lab)).toEqual([])
  process.kill(next.lab.pid, 'SIGTERM')
  const { exitCode, stderr } = await next.bench.finished
  expect(exitCode).toBe(143)
  expect(stderr).toContain(`meshmark  Removed what run ${lab.runId} `)
  await expect.poll(() => leftoversOf(next.lab), { timeout: 5000 }).toEqual([])
})

test.for(['while workloads are deployed', 'while it measures'] as const)(
  'kill -9 of the worker %s: exit code 1, the run says so and leaves nothing',
  async (stage) => {
    const { bench, lab } = await runAt(stage)
    await using _ = bench
    const workers = workersOf(lab.pid)
    expect(workers).toHaveLength(1)
    for (const worker of workers) process.kill(worker, 'SIGKILL')
    const run = await bench.finished
    expect({ exitCode: run.exitCode, timedOut: run.timedOut }).toEqual({ exitCode: 1, timedOut: false })
    expect(run.stderr).toContain('Worker exited unexpectedly with signal SIGKILL')
    expect(validRecord(run.record)).toMatchObject({
      run: { reason: 'failed', problems: ['istio: no comparison: the worker ended before its test did'] },
      comparisons: [],
    })
    expect(leftoversOf(lab)).toEqual([])
  },
)

test('meshmark clean leaves a run that is alive alone, and says whose it is', async () => {
  const { bench, lab } = await runAt('while it measures')
  await using _ = bench
  const before = leftoversOf(lab)
  const { all, exitCode } = await meshmark('clean')
  expect(exitCode).toBe(0)
  expect(all).toContain(`Left run ${lab.runId}: pid ${lab.pid} in ${bench.directory} is running.`)
  expect(all).not.toContain(`Removed what run ${lab.runId}`)
  expect(leftoversOf(lab)).toEqual(before)
  expect(before.length).toBeGreaterThan(8)
  await goesOn(bench, lab)
  process.kill(lab.pid, 'SIGTERM')
  expect((await bench.finished).exitCode).toBe(143)
})

test('a second run waits for the first, and says for whom', async () => {
  const { bench, lab } = await runAt('while it measures')
  await using _ = bench
  await using second = await startBench({ files: FILES, args: ['--project', 'istio'] })
  await untilSaid(second.child, /has the lab of this machine/)
  await sleep(500)
  expect(namespacesOf(lab.runId).length).toBeGreaterThan(3)
  // Interrupted while it waits, it has nothing to take down, and must not touch the first one's.
  second.child.kill('SIGINT')
  const waited = await second.finished
  expect(waited).toMatchObject({ exitCode: 130, record: undefined })
  expect(waited.stderr).toContain(
    `meshmark  Another meshmark run (pid ${lab.pid} in ${bench.directory}) has the lab of this machine: waiting for it, up to 600 s.`,
  )
  expect(namespacesOf(lab.runId).length).toBeGreaterThan(3)
  await goesOn(bench, lab)
  process.kill(lab.pid, 'SIGTERM')
  expect((await bench.finished).exitCode).toBe(143)
  await expect.poll(() => leftoversOf(lab), { timeout: 5000 }).toEqual([])
})

test("Ctrl-C in a terminal: no watch mode, the run's own exit code, and nothing is left", async () => {
  const { directory: project } = inject('packedProject')
  await using folder = await benchFolder(FILES)
  // script(1) gives it a terminal, and types what comes in here.
  const command = `exec ${process.execPath} ${project}/node_modules/vitest/vitest.mjs bench --project istio`
  const terminal = execa('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    cwd: folder.directory,
    env: { ...plainEnvironment(project), TERM: 'xterm' },
    extendEnv: false,
    stdin: 'pipe',
    reject: false,
    timeout: 120_000,
  })
  const runId = await until(terminal, 'has a lab', () => runIn(folder.directory))
  await until(terminal, 'measures', () => (/"phase":"measuring"/.test(progressOf(runId)) ? true : undefined))
  terminal.stdin.write('\u0003')
  const { exitCode, stdout } = await terminal
  expect(exitCode, stdout).toBe(130)
  expect(stdout).toContain('meshmark  SIGINT: the run ends here, and leaves no record. The lab is taken down.')
  await expect.poll(() => namespacesOf(runId), { timeout: 5000 }).toEqual([])
  expect(existsSync(`/run/meshmark/${runId}`)).toBe(false)
})
