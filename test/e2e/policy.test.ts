/** The second and the third spec of the design as they are written there: a policy in the lab's cilium, and two meshes directly. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { judged, validRecord } from './harness/record.ts'
import { runBench } from './harness/run-bench.ts'
import { configuration } from './harness/sources.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** The loader comes in a package of its own: here from where the set-up builds it. */
const env = { MESHMARK_PROBES: join(ROOT, 'probes', 'prebuilt', `linux-${process.arch}`) }

const POLICY_SPEC = `
import { expect, test } from 'meshmark/test'

test.on('cilium')('an L3/L4 policy is enforced and costs under 3 %', async ({ mesh, load, bench }) => {
  const open = await mesh.workload('http-echo')
  const guarded = await mesh.workload('http-echo', { policy: 'manifests/policies/l3-l4.yaml' })
  await expect(guarded).toAllow({ from: 'client', port: 8080 })
  await expect(guarded).toDeny({ from: 'stranger', port: 8080 })
  const result = await bench.compare(bench('open', load.http(open)), bench('L3/L4 policy', load.http(guarded)))
  expect(result.get('L3/L4 policy')).toHaveOverheadBelow('3%', { over: result.get('open'), of: 'p50' })
})
`

const VERSUS_SPEC = `
import { expect, test } from 'meshmark/test'

test.on('versus')('Cilium answers sooner than Istio', async ({ meshes, load, bench }) => {
  const [cilium, istio] = await meshes('cilium', 'istio')          // both live at once, so they can be paired
  const result = await bench.compare(
    bench('cilium', load.http(await cilium.workload('http-echo'))),
    bench('istio', load.http(await istio.workload('http-echo'))),
  )
  expect(result.get('cilium')).toBeFasterThanMesh(result.get('istio'), { of: 'p50' })
})
`

/** Names a flow that the policy denies, as if it had to be allowed. */
const WRONG_SPEC = `
import { expect, test } from 'meshmark/test'

test.on('cilium')('the stranger is let in', async ({ mesh }) => {
  const guarded = await mesh.workload('http-echo', { replicas: 1, policy: 'manifests/policies/l3-l4.yaml' })
  await expect(guarded).toAllow({ from: 'stranger', port: 8080 })
})
`

const config = configuration(`{ gate: true, seed: 'e2e', meshes: { cilium: {}, istio: {} } }`)
const manifest = (name: string): Promise<string> => readFile(join(ROOT, 'manifests', 'policies', name), 'utf8')

test('a policy is tried, enforced, measured and on record; and the meshes are compared directly', async () => {
  const run = await runBench({
    files: {
      'vitest.config.ts': config,
      'policy.bench.ts': POLICY_SPEC,
      'versus.bench.ts': VERSUS_SPEC,
      'manifests/policies/l3-l4.yaml': await manifest('l3-l4.yaml'),
    },
    args: ['--project', 'cilium', '--project', 'versus'],
    env,
    timeoutMs: 170_000,
  })
  expect({ exitCode: run.exitCode, timedOut: run.timedOut }, tail(run)).toEqual({ exitCode: 0, timedOut: false })
  const record = validRecord(run.record)
  expect(record.comparisons.map(({ project, arms }) => [project, arms.map(({ name }) => name)])).toEqual([
    ['cilium', ['open', 'L3/L4 policy']],
    ['versus', ['cilium', 'istio']],
  ])
  expect(record.comparisons.map(judged).map((row) => [row?.of, row?.outcome])).toEqual([
    ['p50', 'pass'],
    ['p50', 'pass'],
  ])
  const [open, guarded] = record.comparisons[0]?.arms ?? []
  expect(open?.policy).toBeNull()
  expect(guarded?.policy).toMatchObject({
    file: 'manifests/policies/l3-l4.yaml',
    enforcedBy: 'eBPF',
    verified: { allowed: 8, denied: 16 },
    drops: expect.arrayContaining([expect.objectContaining({ packets: expect.any(Number) })]),
  })
  // The kernel's part is on record, by program.
  expect(guarded?.kernel?.programs.map(({ program }) => program)).toContain('from_pod')
  expect(guarded?.kernel?.programsUsPerRequest).toBeGreaterThan(0)
  expect(run.stdout).toMatch(/^ The lab's cilium and istio are stand-ins/m)
  expect(run.stdout).toMatch(/^ cilium › an L3\/L4 policy is enforced and costs under 3 % +p50 against open \(lab\)/m)
  expect(run.stdout).toMatch(/eBPF: 8 flows allowed, 16 denied/)
})

test('a flow that does not go as it must fails the bench, with the reason it was dropped for', async () => {
  const run = await runBench({
    files: {
      'vitest.config.ts': config,
      'wrong.bench.ts': WRONG_SPEC,
      'manifests/policies/l3-l4.yaml': await manifest('l3-l4.yaml'),
    },
    args: ['--project', 'cilium'],
    env,
  })
  expect(run.exitCode).toBe(1)
  expect(run.stderr + run.stdout).toMatch(
    /TCP from stranger to http-echo, port 8080 should be allowed; 1 of 1 pods: p\d+ got no answer\. Policy: manifests\/policies\/l3-l4\.yaml, enforced by eBPF\. Dropped meanwhile: p\d+: default deny, \d+ packets/,
  )
})

test('without its loader there is no cilium, and that is said', async () => {
  const files = { 'vitest.config.ts': configuration(`{ gate: true }`), 'policy.bench.ts': POLICY_SPEC }
  const run = await runBench({ files, args: ['--project', 'cilium'] })
  expect(run.exitCode).toBe(1)
  expect(run.stderr).toContain(
    "--project cilium: there is no such project. This configuration has baseline, istio. It is named in meshmark({ meshes }) where that names any, and the lab's cilium needs its loader: `npx meshmark doctor` says what is missing.",
  )
})

const tail = ({ stdout, stderr }: { stdout: string; stderr: string }): string =>
  [...stdout.split('\n').slice(-30), ...stderr.split('\n').slice(-30)].join('\n')
