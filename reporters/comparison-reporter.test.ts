import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { COMPARISON_ARTIFACT, type ComparisonArtifact, type Judgement } from '../measure/artifact.ts'
import { type Comparison, type MeshmarkRecord, parseRecord } from '../measure/record.ts'
import { benchFolder, type BenchFolder } from './testdata/run-vitest.ts'
import { sampleComparison, sampleEnvironment, sampleOverhead } from './testdata/sample-record.ts'

const artifact = (comparison: Comparison): ComparisonArtifact => ({
  type: COMPARISON_ARTIFACT,
  comparison,
  environment: sampleEnvironment,
  runId: 'r1',
  seed: '7f3a',
  meshmark: '0.1.0',
})

const baseline = sampleComparison('baseline', {
  overheads: [sampleOverhead('p50', 0.0003, 0.002, { arm: 'baseline again' })],
})
const istio = sampleComparison('istio', { overheads: [sampleOverhead('p50', 6.68, 0.125)] })
const judgement: Judgement = {
  comparisonId: istio.id,
  retry: 0,
  message: 'said',
  overhead: sampleOverhead('p50', 6.68, 0.125, { outcome: 'pass', budget: { relative: 9 }, claim: 'below' }),
}
const both = {
  baseline: { artifacts: [artifact(baseline)] },
  istio: { artifacts: [artifact(istio)], meta: { judgements: [judgement] } },
}

const recordOf = async (folder: BenchFolder): Promise<MeshmarkRecord> =>
  parseRecord(JSON.parse(await readFile(join(folder.path, 'out/record.json'), 'utf8')))

/** The report without what differs from run to run. */
const steady = (stdout: string): string => stdout.replace(/seed 7f3a · .*/, 'seed 7f3a · …')

test('vitest bench prints the tables, writes the record and nothing beside it', { timeout: 60_000 }, async () => {
  await using folder = await benchFolder(both)
  const ran = await folder.bench()
  expect(ran).toEqual({ code: 0, stdout: expect.any(String), stderr: '' })
  expect(steady(ran.stdout)).toMatchInlineSnapshot(`
    "
     meshmark   lab · 2 CPUs · Linux 6.18.4 · Envoy 1.40.0 · seed 7f3a · …
     The lab's istio is a stand-in (docs/lab.md): its kind and order of cost, not the product's.
     noise floor (baseline against itself)   p50 ±0.2 %

     overhead       req/s      avg      p50      p95      p99          cpu/request             memory    sidecars   p50 against baseline
                                µs       µs       µs       µs        app      mesh      data  control
     baseline           –     71.1     67.1     88.6    130.8    18.1 µs         –         –        –           0   reference
     istio (lab)        –    545.9    515.0    679.8    1,004    19.2 µs    212 µs    130 MB        –           2   +668 % [+656, +681]    pass  < 900 %
     control plane: none in the lab · req/s –: not measured (plan 'saturate')

     95 % intervals; positive is dearer; ~ no clear difference; values are each arm's own, estimates are of pairs
     baseline › HTTP through the mesh   baseline again against baseline
       p50   67.1 µs → 67.1 µs   0.0 % [−0.2, +0.2]   n=48 blocks   ~

     istio › HTTP through the mesh   istio (lab) against baseline
       p50   67.1 µs → 515 µs   +668 % [+656, +681]   n=48 blocks   pass (< 900 %)

     1 pass
     why: npx meshmark explain out/record.json

    "
  `)
  const record = await recordOf(folder)
  expect(record.comparisons).toEqual([baseline, { ...istio, overheads: [judgement.overhead] }])
  expect(record.run).toMatchObject({
    id: 'r1',
    seed: '7f3a',
    vitest: '5.1.1',
    gate: true,
    reason: 'passed',
    problems: [],
  })
  expect(await readdir(join(folder.path, 'out'))).toEqual(['record.json'])
})

test('merged blob reports give the same report', { timeout: 120_000 }, async () => {
  await using folder = await benchFolder(both)
  for (const project of ['baseline', 'istio']) {
    await folder.bench(['--project', `${project} (bench)`], { BLOB: `blobs/${project}.json` })
  }
  const merged = await folder.bench(['--merge-reports=blobs'])
  const live = await folder.bench()
  expect({ ...merged, stdout: steady(merged.stdout) }).toEqual({ ...live, stdout: steady(live.stdout) })
  expect((await recordOf(folder)).comparisons).toEqual([baseline, { ...istio, overheads: [judgement.overhead] }])
})

test('a project that measured nothing makes the run red', { timeout: 60_000 }, async () => {
  await using folder = await benchFolder({ baseline: both.baseline })
  const { code, stdout } = await folder.bench()
  expect([code, stdout.split('\n').filter((line) => line.includes('problem'))]).toEqual([
    1,
    [' problem  istio: no comparison: its test ran without a bench.compare of loads'],
  ])
  expect((await recordOf(folder)).run).toMatchObject({
    reason: 'failed',
    problems: ['istio: no comparison: its test ran without a bench.compare of loads'],
  })
})

test(
  'a name filter that leaves nothing to run is red; a selected project alone is fine',
  { timeout: 120_000 },
  async () => {
    await using folder = await benchFolder(both)
    const none = await folder.bench(['-t', 'no such test'])
    expect([none.code, none.stdout.split('\n').filter((line) => line.includes('problem'))]).toEqual([
      1,
      [' problem  no test ran: nothing was measured'],
    ])
    expect((await folder.bench(['--project', 'istio (bench)'])).code).toBe(0)
  },
)
