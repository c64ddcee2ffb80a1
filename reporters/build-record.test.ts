import { expect, test } from 'vitest'
import { COMPARISON_ARTIFACT, type ComparisonArtifact } from '../measure/artifact.ts'
import type { EnvironmentDescription } from '../measure/record.ts'
import { buildRecord, measuredSpan, mergedEnvironment } from './build-record.ts'
import { sampleComparison, sampleEnvironment, sampleRecord } from './testdata/sample-record.ts'

const artifact = (changes: Partial<ComparisonArtifact> = {}): ComparisonArtifact => ({
  type: COMPARISON_ARTIFACT,
  comparison: sampleComparison('istio'),
  environment: sampleEnvironment,
  runId: 'r1',
  seed: '7f3a',
  meshmark: '0.1.0',
  ...changes,
})

const context = {
  startedAt: Date.UTC(2026, 10, 20, 10),
  endedAt: Date.UTC(2026, 10, 20, 10, 4, 12),
  vitest: '5.1.1',
  gate: true,
  reason: 'passed' as const,
  problems: [],
  runId: 'none',
  seed: 'none',
  meshmark: 'unknown',
}

test('a run is what its artifacts say of it', () => {
  const { run, environment } = buildRecord([artifact(), artifact({ runId: 'r2' })], context)
  expect(run).toEqual({ ...sampleRecord([]).run, id: 'r1+r2' })
  expect(environment).toEqual(sampleEnvironment)
})

test('a problem makes a passed run a failed one', () => {
  expect(buildRecord([], { ...context, problems: ['no test ran: nothing was measured'] }).run).toEqual({
    ...sampleRecord([]).run,
    id: 'none',
    seed: 'none',
    meshmark: 'unknown',
    reason: 'failed',
    problems: ['no test ran: nothing was measured'],
  })
})

test('each project brings its own mesh; a mesh from another machine says so', () => {
  const [baseline, istio] = sampleEnvironment.meshes
  const only = (
    mesh: typeof baseline,
    changes: Partial<EnvironmentDescription> = {},
  ): { environment: EnvironmentDescription } => ({
    environment: { ...sampleEnvironment, meshes: mesh === undefined ? [] : [mesh], ...changes },
  })
  expect(mergedEnvironment([only(baseline), { environment: null }, only(istio)])).toEqual(sampleEnvironment)
  const elsewhere = mergedEnvironment([only(baseline), only(istio, { kernel: '6.12.1', cpus: 8 })])
  expect(elsewhere?.meshes.map(({ name, notes }) => [name, notes])).toEqual([
    ['baseline', []],
    ['istio', ['measured on another machine: 8 CPUs (invented CPU), kernel 6.12.1']],
  ])
  expect(mergedEnvironment([])).toBe(null)
})

test('merged reports span from the first start to the last end', () => {
  const later = sampleComparison('istio', { startedAt: '2026-11-20T10:01:00.000Z' })
  expect(measuredSpan([artifact({ comparison: later }), artifact()])).toEqual({
    startedAt: Date.UTC(2026, 10, 20, 10),
    endedAt: Date.UTC(2026, 10, 20, 10, 1, 15),
  })
  expect(measuredSpan([])).toBe(undefined)
})
