/** Which project runs what: `--project`, `test.on`, plain functions, `vitest run`, merged reports. */
import { expect, test } from 'vitest'
import { validRecord } from './harness/record.ts'
import { benchFolder, type BenchRun, runBench } from './harness/run-bench.ts'
import { configuration, FUNCTIONS, quickSpec } from './harness/sources.ts'
import { whatWentWrong } from './harness/what-went-wrong.ts'

// What is measured here decides nothing: without the gate, so that a busy machine is no failure.
const BOTH = configuration(
  `{ gate: false, meshes: { baseline: { budgets: { http: '60%' } }, istio: { budgets: { http: '3000%' } } } }`,
)

/** Lines of the tables that hold a comparison's figures. */
const figures = ({ stdout }: BenchRun): string[] =>
  stdout
    .split('\n')
    .filter((line) => /^ +(?:p50|p90|mean|memory) .* n=\d+ blocks/.test(line))
    .map((line) => line.trim().replaceAll(/ +/g, ' '))

const ranProjects = ({ stdout }: BenchRun): string[] => [...new Set(stdout.match(/(?<=\|)\w+(?= \(bench\)\|)/g) ?? [])]

test('--project istio runs just istio, --project !istio just baseline; their merged blobs give the same figures', async () => {
  await using folder = await benchFolder({ 'vitest.config.ts': BOTH, 'http.bench.ts': quickSpec('8s') })
  const blob = (project: string, name: string) =>
    folder.run({
      args: ['--project', project, '--reporter=default', '--reporter=blob', `--outputFile.blob=blobs/${name}.json`],
    })

  const istio = await blob('istio', 'one')
  expect(istio.exitCode, whatWentWrong(istio)).toBe(0)
  const istioRecord = validRecord(istio.record)
  expect(istioRecord.comparisons.map(({ project }) => project)).toEqual(['istio'])
  expect(ranProjects(istio)).toEqual(['istio'])

  const baseline = await blob('!istio', 'two')
  expect(baseline.exitCode, whatWentWrong(baseline)).toBe(0)
  const baselineRecord = validRecord(baseline.record)
  expect(baselineRecord.comparisons.map(({ project }) => project)).toEqual(['baseline'])
  expect(ranProjects(baseline)).toEqual(['baseline'])

  // No lab: nothing is measured again.
  const merged = await folder.run({ args: ['--merge-reports=blobs'], env: { MESHMARK_ENVOY: '/nowhere' } })
  expect(merged.exitCode, merged.stdout + merged.stderr).toBe(0)
  const byProject = Object.groupBy(validRecord(merged.record).comparisons, ({ project }) => project)
  expect(byProject).toEqual({ baseline: baselineRecord.comparisons, istio: istioRecord.comparisons })
  expect(figures(istio)).toHaveLength(4)
  expect(figures(merged).toSorted()).toEqual([...figures(baseline), ...figures(istio)].toSorted())
})

test('a spec that is only for another mesh is neither run nor counted: alone, nothing was measured, which is no success', async () => {
  const run = await runBench({
    files: {
      'vitest.config.ts': BOTH,
      'only-istio.bench.ts': `
import { test } from 'meshmark/test'

test.on('istio')('is not for the baseline', () => {
  throw new Error('it ran')
})
test.on('istio').skip('nor are its modifiers', () => {})
`,
    },
    args: ['--project', 'baseline'],
  })
  expect(run.exitCode, whatWentWrong(run)).toBe(1)
  expect(run.stdout + run.stderr).not.toContain('it ran')
  expect(run.stdout).toMatch(/^ +Tests +no tests$/m)
  expect(run.stdout).toMatch(/^ problem {2}baseline: no comparison: no test applies to it, or all were skipped$/m)
  expect(validRecord(run.record).run).toMatchObject({
    reason: 'failed',
    problems: ['baseline: no comparison: no test applies to it, or all were skipped'],
  })
})

test('benches of plain functions need no load beside them', async () => {
  const run = await runBench({
    files: { 'vitest.config.ts': BOTH, 'functions.bench.ts': FUNCTIONS },
    args: ['--project', 'baseline'],
  })
  expect(run.exitCode, whatWentWrong(run)).toBe(0)
  expect(run.stdout).toMatch(/^ +Tests +2 passed \(2\)$/m)
  for (const name of ['sum', 'parse', 'split']) expect(run.stdout).toMatch(new RegExp(`^ +${name} +[\\d,.]+`, 'm'))
})

test('loads and plain functions in one file; in one comparison they are refused', async () => {
  const run = await runBench({
    files: {
      'vitest.config.ts': BOTH,
      'mixed.bench.ts': `${quickSpec('1s')}
test('a function', async ({ bench }) => {
  await bench('sum', () => 1 + 1).run({ time: 10, iterations: 10 })
})

test('both', async ({ baseline, load, bench }) => {
  await bench.compare(
    bench('load', load.http(await baseline.workload('http-echo', { replicas: 1 }))),
    bench('function', () => 1 + 1),
  )
})
`,
    },
    args: ['--project', 'istio'],
  })
  expect(run.exitCode).toBe(1)
  expect(run.stdout).toMatch(/^ +Tests +1 failed \| 2 passed \(3\)$/m)
  expect(run.stdout + run.stderr).toContain(
    'Loads and plain functions stand in one comparison: a load is measured by request, a function by call. Compare them apart.',
  )
})

test('vitest run is not touched: unit tests once, no mesh', async () => {
  await using folder = await benchFolder({
    'vitest.config.ts': BOTH,
    'unit.test.ts': `
import { expect, test } from 'vitest'
test('adds', () => { expect(1 + 1).toBe(2) })
`,
    'http.bench.ts': quickSpec('8s'),
  })
  const run = await folder.run({ command: 'run', env: { MESHMARK_ENVOY: '/nowhere' } })
  expect(run.exitCode, whatWentWrong(run)).toBe(0)
  expect(run.stdout).toMatch(/^ ✓ unit\.test\.ts \(1 test\)/m)
  expect(run.stdout).toMatch(/^ +Test Files +1 passed \(1\)$/m)
  expect(run.stdout).toMatch(/^ +Tests +1 passed \(1\)$/m)
  expect(run.stdout + run.stderr).not.toMatch(/baseline|istio|meshmark {2}/)
  expect(run.record).toBeUndefined()
})
