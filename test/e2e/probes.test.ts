/** Probes of a spec, for real: attached beside all three meshes, counted against what was sent, printed and on record. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { Explanation } from '../../measure/record.ts'
import { validRecord } from './harness/record.ts'
import { runBench } from './harness/run-bench.ts'
import { configuration } from './harness/sources.ts'
import { whatWentWrong } from './harness/what-went-wrong.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const env = { MESHMARK_PROBES: join(ROOT, 'probes', 'prebuilt', `linux-${process.arch}`) }

const BREAKDOWN_SPEC = `
import { expect, test } from 'meshmark/test'

test('where the time goes', async ({ mesh, baseline, load, probes, bench }) => {
  const without = await baseline.workload('http-echo', { replicas: 2 })
  const workload = await mesh.workload('http-echo', { replicas: 2 })
  const seen = await probes.attach('latency', 'drops', 'connections', { on: [without, workload] })
  const options = { cap: '3s' }
  await bench.compare(bench('baseline', load.http(without, options)), bench(mesh.arm, load.http(workload, options)))
  expect(seen).toReuseConnections('95%')
  expect(() => expect(seen).toReuseConnections('100%')).toThrow('at least 100')
  expect(() => expect(seen).not.toReuseConnections('100%')).toThrow('not.toReuseConnections: ')
  expect(seen).toHaveNoDrops({ class: 'policy' })
})
`

const WRONG_SPEC = `
import { expect, test } from 'meshmark/test'

test('too much in the app', async ({ baseline, load, probes, bench }) => {
  const [a, b] = [await baseline.workload('http-echo', { replicas: 1 }), await baseline.workload('http-echo', { replicas: 1 })]
  const seen = await probes.attach('latency', { on: [b] })
  await bench.compare(bench('a', load.http(a, { cap: '3s' })), bench('b', load.http(b, { cap: '3s' })))
  expect(seen).toSpendAtMost('1us', 'app')
})

test('probes that there are not', async ({ baseline, probes }) => {
  await probes.attach('latencies', { on: [await baseline.workload('http-echo', { replicas: 1 })] })
})

test('nothing to watch', async ({ probes }) => {
  await probes.attach('latency')
})
`

const parts = ({ breakdown }: Explanation): string[] => breakdown?.parts.map(({ name }) => name) ?? []

test('every request that was sent is counted, the parts add up, and each mesh has its proxies', async () => {
  const run = await runBench({
    files: {
      'vitest.config.ts': configuration(`{ gate: false, seed: 'e2e', meshes: { cilium: {}, istio: {} } }`),
      'breakdown.bench.ts': BREAKDOWN_SPEC,
    },
    args: ['--project', 'cilium', '--project', 'istio'],
    env,
    timeoutMs: 170_000,
  })
  expect({ exitCode: run.exitCode, timedOut: run.timedOut }, whatWentWrong(run)).toEqual({
    exitCode: 0,
    timedOut: false,
  })
  const { comparisons } = validRecord(run.record)
  expect(comparisons.map(({ project }) => project)).toEqual(['cilium', 'istio'])
  const explanations = comparisons.flatMap((comparison) => comparison.explanations)
  expect(explanations.map(({ arm }) => arm)).toEqual(['baseline', 'cilium', 'baseline', 'istio'])
  for (const seen of explanations) {
    expect(seen.attached).toBe('apart')
    expect(seen.requests).toBeGreaterThan(100)
    expect({ arm: seen.arm, counted: seen.breakdown?.requests, lost: seen.lost }).toEqual({
      arm: seen.arm,
      counted: seen.requests,
      lost: 0,
    })
    expect(seen.connections).toMatchObject({ opened: 2, failed: 0, requests: seen.requests })
    const sum = seen.breakdown?.parts.reduce((total, { meanUs }) => total + meanUs, 0) ?? Number.NaN
    expect(sum).toBeCloseTo(seen.breakdown?.meanUs ?? 0, 3)
    // The agent's clock starts before the send and ends after the receive.
    expect(seen.breakdown?.meanUs).toBeLessThan(seen.meanUs)
    expect(seen.cost.nsPerRequest).toBeGreaterThan(0)
  }
  const [baseline, cilium, , istio] = explanations
  if (baseline === undefined || cilium === undefined || istio === undefined) throw new Error('not all are there')
  expect(parts(baseline)).toEqual(['app', 'kernel queues', 'wire', 'unexplained'])
  expect(parts(cilium)).toEqual(parts(baseline))
  expect(parts(istio)).toEqual(['app', 'client proxy', 'server proxy', 'kernel queues', 'wire', 'unexplained'])
  expect(run.stdout).toMatch(/^ istio › where the time goes, µs +whole +app +client proxy +server proxy/m)
  expect(run.stdout).toMatch(/^ where istio \(lab\)'s \+[\d.,]+ µs of the mean go: /m)
})

test('what the probes see fails a bench, in a sentence; and so does what can not be attached', async () => {
  const run = await runBench({
    files: { 'vitest.config.ts': configuration(`{ gate: true }`), 'wrong.bench.ts': WRONG_SPEC },
    args: ['--project', 'baseline'],
    env,
  })
  expect(run.exitCode).toBe(1)
  const said = run.stderr + run.stdout
  expect(said).toMatch(/b spends [\d.]+ µs of [\d.]+ µs in app, of at most 1\.00 µs/)
  expect(said).toMatch(/probes\.attach: there is no probe latencies\. Known: latency, drops, connections\./)
  expect(said).toMatch(/probes\.attach: say what to watch last/)
})
