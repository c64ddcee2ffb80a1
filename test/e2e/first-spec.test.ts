/** The first spec of the design as it is written there, in both projects, under the gate. */
import { expect, test } from 'vitest'
import { judged, validRecord } from './harness/record.ts'
import { runBench } from './harness/run-bench.ts'
import { configuration, FIRST_SPEC, FUNCTIONS } from './harness/sources.ts'
import { whatWentWrong } from './harness/what-went-wrong.ts'

/** Applies to the other project only: here neither run nor counted. */
const ONLY_ISTIO = `
import { test } from 'meshmark/test'

test.on('istio')('sees the mesh that it asked for', async ({ mesh, expect }) => {
  expect([mesh.name, mesh.arm]).toEqual(['istio', 'istio'])
})
`

test('the first spec: baseline against itself within noise, istio dearer, both inside their budgets', async () => {
  const run = await runBench({
    files: {
      // Wide enough for a machine that does other work as well; what they cost is in the record.
      'vitest.config.ts': configuration(
        `{ gate: true, seed: 'e2e', meshes: { baseline: { budgets: { http: '25%' } }, istio: { budgets: { http: '3000%' } } } }`,
      ),
      'first.bench.ts': FIRST_SPEC,
      'only-istio.bench.ts': ONLY_ISTIO,
      'functions.bench.ts': FUNCTIONS,
    },
    timeoutMs: 170_000,
  })
  expect({ exitCode: run.exitCode, timedOut: run.timedOut }, whatWentWrong(run)).toEqual({
    exitCode: 0,
    timedOut: false,
  })

  const record = validRecord(run.record)
  expect(record.run).toMatchObject({ seed: 'e2e', gate: true, reason: 'passed', problems: [] })
  expect(record.environment).toMatchObject({ kind: 'lab', envoy: expect.stringMatching(/^\d+\.\d+\.\d+/) })
  expect(
    record.comparisons.map(({ project, spec, arms }) => ({ project, spec, arms: arms.map((arm) => arm.name) })),
  ).toEqual([
    { project: 'baseline', spec: 'first.bench.ts', arms: ['baseline', 'baseline again'] },
    { project: 'istio', spec: 'first.bench.ts', arms: ['baseline', 'istio'] },
  ])
  for (const comparison of record.comparisons) {
    expect(comparison.plan).toMatchObject({ kind: 'paired', precision: 0.005, capMs: 30_000, connections: 1 })
    expect(comparison.blocks.filter(({ valid }) => valid).length).toBeGreaterThanOrEqual(20)
    for (const arm of comparison.arms) expect(arm.latencyUs?.count).toBeGreaterThan(4000)
  }
  // Istio's client-side proxy shares the agent's CPU; for the baseline the agent may poll where its priority could be raised.
  expect(record.comparisons.map(({ generator }) => generator.polling)).toEqual([expect.any(Boolean), false])
  const [control, istio] = record.comparisons.map(judged)
  expect(control).toMatchObject({ arm: 'baseline again', over: 'baseline', of: 'p50', outcome: 'pass' })
  expect((control?.high ?? 0) - (control?.low ?? 0)).toBeGreaterThan(0)
  expect(istio).toMatchObject({ arm: 'istio', over: 'baseline', of: 'p50', outcome: 'pass', budget: { relative: 30 } })
  expect(istio?.low).toBeGreaterThan(0.2)
  expect(istio?.low).toBeLessThan(istio?.relative ?? 0)
  expect(istio?.high).toBeGreaterThan(istio?.relative ?? 0)
  // A sidecar is another process, and its CPU is on record.
  const [plain, meshed] = record.comparisons[1]?.arms ?? []
  expect([plain?.sidecars, meshed?.sidecars, plain?.standIn, meshed?.standIn]).toEqual([0, 2, false, true])
  expect(meshed?.usage.find(({ component }) => component === 'sidecar')?.cpuUsPerRequest).toBeGreaterThan(10)

  for (const line of [
    /^ meshmark   lab · \d+ CPUs · Linux .* · Envoy \d.* · seed e2e · /m,
    /^ The lab's istio is a stand-in \(docs\/lab\.md\)/m,
    /^ noise floor \(baseline against itself\) +p50 ±/m,
    /^ +p50 .* → .* µs +[+−]?\S+ % \[.*\] +n=\d+ blocks +pass \(< 25 %\)$/m,
    /^ +p50 .* → .* µs +\+\d+ % \[\+\d+, \+\d+\] +n=\d+ blocks +pass \(< 3,?000 %\)$/m,
    /^ 2 pass$/m,
  ]) {
    expect(run.stdout).toMatch(line)
  }
  // Live, while it measured.
  expect(run.stdout).toMatch(
    /^meshmark {2}istio › HTTP through the mesh {3}baseline ⇄ istio {3}(now [^ ]+ {3})?block \d+ /m,
  )
  // 2 of the first spec, 4 of the functions, 1 that is only for istio: in project baseline it isn't there. Vitest still
  // names the file, as one without a test, and counts it among the files: it can't be known empty before it is read.
  expect(run.stdout).toMatch(/^ +Tests +7 passed \(7\)$/m)
  expect(run.stdout).toMatch(/\|baseline \(bench\)\| only-istio\.bench\.ts \(0 test\)/)
  expect(run.stdout).toMatch(/\|istio \(bench\)\| only-istio\.bench\.ts \(1 test\)/)
})
