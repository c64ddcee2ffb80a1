import { expect, test } from 'vitest'
import { COMPARISON_ARTIFACT, type ComparisonArtifact, type Judgement } from '../measure/artifact.ts'
import type { Comparison, Overhead } from '../measure/record.ts'
import { collect } from './collected.ts'
import type { MeasuredTest } from './measured-test.ts'
import { sampleComparison, sampleEnvironment, sampleOverhead } from './testdata/sample-record.ts'

const artifact = (comparison: Comparison): ComparisonArtifact => ({
  type: COMPARISON_ARTIFACT,
  comparison,
  environment: sampleEnvironment,
  runId: 'r1',
  seed: '7f3a',
  meshmark: '0.1.0',
})

const measured = (changes: Partial<MeasuredTest>): MeasuredTest => ({
  project: 'istio',
  spec: 'bench/overhead.bench.ts',
  name: 'HTTP through the mesh',
  state: 'passed',
  lastAttempt: 0,
  artifacts: [],
  meta: undefined,
  benchmarks: 1,
  ...changes,
})

const judgement = (overhead: Overhead, changes: Partial<Judgement> = {}): Judgement => ({
  comparisonId: 'istio-1',
  retry: 0,
  overhead,
  message: 'said',
  ...changes,
})

const judged = (of: 'p50' | 'p99', relative: number, budget: number): Overhead =>
  sampleOverhead(of, relative, 0.1, { outcome: 'pass', budget: { relative: budget }, claim: 'below' })

test('a judgement takes the place of its row, another budget follows it, the same question twice counts once', () => {
  const overheads = [
    sampleOverhead('p50', 6, 0.1),
    sampleOverhead('p90', 6, 0.1),
    sampleOverhead('p50', 6, 0.1, { arm: 'other' }),
  ]
  const faster = sampleOverhead('p50', 6, 0.1, { outcome: 'fail', budget: { relative: 0 }, claim: 'faster' })
  const judgements = [judged('p50', 6, 9), judged('p50', 6, 7), judged('p50', 6.1, 9), faster, judged('p99', 7, 9)]
  const { comparisons, problems } = collect([
    measured({
      artifacts: [artifact(sampleComparison('istio', { overheads }))],
      meta: { judgements: judgements.map((overhead) => judgement(overhead)) },
    }),
  ])
  expect(problems).toEqual([])
  expect(
    comparisons[0]?.overheads.map(({ arm, of, relative, outcome, claim, budget }) =>
      [arm, of, relative, outcome, claim, budget?.relative].join(' '),
    ),
  ).toEqual([
    'istio p50 6.1 pass below 9',
    'istio p50 6 pass below 7',
    'istio p50 6 fail faster 0',
    'istio p90 6   ',
    'other p50 6   ',
    'istio p99 7 pass below 9',
  ])
})

test('only the last attempt of a retried test counts, with what was said of it', () => {
  const attempt = (retry: number): Comparison =>
    sampleComparison('istio', { id: `istio-${retry}`, retry, overheads: [sampleOverhead('p50', 6 + retry, 0.1)] })
  const { comparisons, problems } = collect([
    measured({
      lastAttempt: 1,
      artifacts: [artifact(attempt(0)), artifact(attempt(1))],
      meta: {
        judgements: [0, 1].map((retry) =>
          judgement(judged('p50', 6 + retry, 9), { comparisonId: `istio-${retry}`, retry }),
        ),
      },
    }),
  ])
  expect(comparisons).toEqual([{ ...attempt(1), overheads: [judged('p50', 7, 9)] }])
  expect(problems).toEqual([])
})

test('what does not parse or fit is a problem, never ignored', () => {
  const broken = {
    ...artifact(sampleComparison('istio')),
    comparison: { ...sampleComparison('istio'), plan: undefined },
  }
  const stale = artifact(sampleComparison('istio'))
  const bare = artifact(sampleComparison('istio'))
  const nothing = sampleOverhead('p50', null, 0, { outcome: 'pass', budget: { relative: 9 } })
  const { comparisons, problems } = collect([
    measured({ name: 'broken', artifacts: [broken, { type: 'other:thing' }] }),
    measured({ name: 'stale', lastAttempt: 2, artifacts: [stale] }),
    measured({
      name: 'unknown',
      artifacts: [bare],
      meta: { judgements: [judgement(judged('p50', 6, 9), { comparisonId: 'x' })] },
    }),
    measured({ name: 'meta', meta: { judgements: [{}] } }),
    measured({ name: 'empty pass', artifacts: [bare], meta: { judgements: [judgement(nothing)] } }),
  ])
  expect(comparisons).toHaveLength(2)
  expect(problems).toMatchInlineSnapshot(`
    [
      "istio › broken: a comparison can't be read: comparison.plan: Invalid type: Expected Object but received undefined",
      "istio › stale: its last attempt (3) measured nothing; earlier attempts are not shown",
      "istio › unknown: a matcher judged a comparison that was not recorded (x)",
      "istio › meta: what its matchers said can't be read: judgements.0.comparisonId: Invalid key: Expected "comparisonId" but received undefined",
      "istio › empty pass: p50 of istio passed without a figure",
    ]
  `)
})
