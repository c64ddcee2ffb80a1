/**
 * What meshmark itself takes: lab up with both meshes (under 3 s) and down again (under 1 s), and the resident memory of
 * harness and agent together, mapped files that they share counted once, while a real `vitest bench` runs (under 500 MB). `npm run accuracy:resources -- --ups 5`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { openLab, upLab } from '../../setup/lab/index.ts'
import { numberOptions } from './options.ts'
import { type Resident, residentOf, togetherBytes } from './resident-memory.ts'

const MOST_UP_MS = 3000
const MOST_DOWN_MS = 1000
const MOST_BYTES = 500e6
const SAMPLE_EVERY_MS = 100
const { ups } = numberOptions({ ups: 5 })
let missed = 0

function row(what: string, value: string, limit: string, ok: boolean): void {
  if (!ok) missed++
  console.log(`${what.padEnd(52)} ${value.padStart(10)}  ${limit.padEnd(9)} ${ok ? 'ok' : 'MISSED'}`)
}

async function timed<T>(what: () => T | Promise<T>): Promise<{ tookMs: number; value: T }> {
  const startMs = performance.now()
  const value = await what()
  return { tookMs: performance.now() - startMs, value }
}

/** Lab and both meshes up, a workload in each, and all of it down. */
async function labTimes(): Promise<{ upMs: number; downMs: number }> {
  const up = await timed(async () => {
    const handle = await upLab({}, (line) => process.stderr.write(`${line}\n`))
    for (const mesh of ['baseline', 'istio'] as const) await handle.upMesh(mesh)
    return handle
  })
  const lab = openLab(up.value.runDir)
  await Promise.all([lab.deploy('baseline', 'http-echo'), lab.deploy('istio', 'http-echo')])
  const down = await timed(() => up.value.down())
  return { upMs: up.tookMs, downMs: down.tookMs }
}

/** A bench in processes of its own; the sample with the most memory in it. */
async function benchMemory(): Promise<{ peak: readonly Resident[]; samples: number }> {
  const scratch = mkdtempSync(join(tmpdir(), 'meshmark-resources-'))
  try {
    const root = fileURLToPath(new URL('../..', import.meta.url))
    const config = fileURLToPath(new URL('./resources.vitest.config.ts', import.meta.url))
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    const bench = execa(process.execPath, [vitest, 'bench', '--run', '--config', config, '--project', 'istio'], {
      cwd: root,
      env: { MESHMARK_RESOURCES_OUTPUT: scratch },
      reject: false,
      all: true,
    })
    const ended = new AbortController()
    const result = bench.finally(() => ended.abort())
    let peak: readonly Resident[] = []
    let samples = 0
    while (!ended.signal.aborted && bench.pid !== undefined) {
      const now = residentOf(bench.pid)
      // Samples of the whole: before the agent runs, or after, it is not together.
      if (now.some(({ role }) => role === 'agent')) samples++
      if (togetherBytes(now) > togetherBytes(peak)) peak = now
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_EVERY_MS))
    }
    const { exitCode, all } = await result
    if (exitCode !== 0) throw new Error(`vitest bench ended with exit code ${exitCode}:\n${all}`)
    if (samples === 0) throw new Error(`no agent was seen while the bench ran:\n${all}`)
    return { peak, samples }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))
const times: { upMs: number; downMs: number }[] = []
for (let i = 0; i < ups; i++) times.push(await labTimes())
const upMs = Math.max(...times.map((time) => time.upMs))
const downMs = Math.max(...times.map((time) => time.downMs))
const { peak, samples } = await benchMemory()

console.log(`${'what'.padEnd(52)} ${'measured'.padStart(10)}  limit`)
row(`lab up with both meshes, slowest of ${ups}`, `${upMs.toFixed(0)} ms`, `${MOST_UP_MS} ms`, upMs < MOST_UP_MS)
row(
  `lab down, a workload in each, slowest of ${ups}`,
  `${downMs.toFixed(0)} ms`,
  `${MOST_DOWN_MS} ms`,
  downMs < MOST_DOWN_MS,
)
const bytes = togetherBytes(peak)
row(`harness and agent, resident (peak of ${samples} samples)`, mb(bytes), mb(MOST_BYTES), bytes < MOST_BYTES)
for (const { role, pid, rssBytes, ownBytes } of peak) {
  console.log(
    `  ${`${role} (pid ${pid})`.padEnd(50)} ${mb(rssBytes).padStart(10)}  ${mb(ownBytes)} of its own, the rest mapped files`,
  )
}
const rssBytes = peak.reduce((sum, process) => sum + process.rssBytes, 0)
console.log(`  ${'sum, with the files that they share in each'.padEnd(50)} ${mb(rssBytes).padStart(10)}`)
process.exitCode = missed === 0 ? 0 : 1
