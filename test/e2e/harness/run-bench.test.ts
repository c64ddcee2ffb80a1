/** The harness itself, with benches of plain functions and without the plugin. */
import { existsSync } from 'node:fs'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { runBench, startBench } from './run-bench.ts'

const VITEST_CONFIG = `
import { defineConfig } from 'vitest/config'
export default defineConfig({ test: { watch: false } })
`

/** A bench that says something, and then takes this long. */
const bench = (said: string, ms = 0): string => `
import { test } from 'vitest'

test('a bench', { timeout: 60_000 }, async ({ bench }) => {
  process.stdout.write(${said} + '\\n')
  await new Promise((resolve) => setTimeout(resolve, ${ms}))
  await bench('nothing', () => {}).run({ time: 10, iterations: 10 })
})
`

test('runs a bench in a plain environment, to its end', async () => {
  const run = await runBench({
    files: { 'vitest.config.ts': VITEST_CONFIG, 'deep/a.bench.ts': bench('`CI=${process.env.CI} A=${process.env.A}`') },
    env: { A: 'given' },
  })
  expect(run.stdout).toContain('CI=undefined A=given')
  expect(run).toMatchObject({ exitCode: 0, record: undefined, timedOut: false })
})

test('gives the exit code of a run that fails', async () => {
  const run = await runBench({
    files: { 'vitest.config.ts': VITEST_CONFIG, 'a.bench.ts': bench("(() => { throw new Error('on purpose') })()") },
  })
  expect(run.exitCode).toBe(1)
  expect(run.stdout + run.stderr).toContain('on purpose')
})

test('ends with a Vitest that is killed, though a child of it lives and holds its streams', async () => {
  const orphan = `
import { spawn } from 'node:child_process'
spawn('sleep', ['8'], { stdio: 'inherit', detached: true })
`
  const started = performance.now()
  let directory: string
  {
    await using run = await startBench({
      files: { 'vitest.config.ts': orphan + VITEST_CONFIG, 'a.bench.ts': bench("'ready'", 30_000) },
    })
    directory = run.directory
    await once(run.child.stdout, 'data')
    await sleep(1000)
    run.child.kill('SIGKILL')
    expect(await run.finished).toMatchObject({ exitCode: 137, record: undefined })
    expect(existsSync(directory)).toBe(true)
  }
  expect(existsSync(directory)).toBe(false)
  expect(performance.now() - started).toBeLessThan(8000)
})
