import { expect, test } from 'vitest'
import type { MeasuredTest } from './measured-test.ts'
import { type RunFacts, runProblems } from './run-problems.ts'
import { sampleComparison } from './testdata/sample-record.ts'

const ran = (project: string, changes: Partial<MeasuredTest> = {}): MeasuredTest => ({
  project,
  spec: 'a.bench.ts',
  name: 'a',
  state: 'passed',
  lastAttempt: 0,
  artifacts: [],
  meta: undefined,
  benchmarks: 0,
  ...changes,
})

const problemsOf = (changes: Partial<RunFacts>): string[] =>
  runProblems({
    tests: [ran('baseline'), ran('istio')],
    comparisons: [sampleComparison('baseline'), sampleComparison('istio')],
    projects: ['baseline', 'istio'],
    projectsWithSpecs: new Set(['baseline', 'istio']),
    filtered: false,
    interrupted: false,
    ...changes,
  })

const onlyBaseline = { comparisons: [sampleComparison('baseline')] }

test('every project measured: no problem', () => {
  expect(problemsOf({})).toEqual([])
})

test.each<[string, Partial<RunFacts>, string[]]>([
  [
    'failed before measuring',
    { tests: [ran('istio', { state: 'failed' })] },
    ['istio: no comparison: its test failed before anything was measured'],
  ],
  ['ran, but compared nothing', {}, ['istio: no comparison: its test ran without a bench.compare of loads']],
  [
    'all skipped',
    { tests: [ran('istio', { state: 'skipped' })] },
    ['istio: no comparison: no test applies to it, or all were skipped'],
  ],
  [
    'no spec at all',
    { tests: [], projectsWithSpecs: new Set(['baseline']) },
    ['istio: no comparison: no spec ran in it'],
  ],
  [
    'a worker that died',
    { tests: [ran('istio', { state: 'pending' }), ran('istio', { state: 'failed' })] },
    ['istio: no comparison: the worker ended before its test did'],
  ],
  ['interrupted', { tests: [], interrupted: true }, ['istio: no comparison: the run was interrupted']],
  ['left out by a filter', { tests: [ran('istio', { state: 'skipped' })], filtered: true }, []],
  ['plain functions only', { tests: [ran('istio', { benchmarks: 2 })] }, []],
])('a project without a comparison: %s', (_name, changes, expected) => {
  expect(problemsOf({ ...onlyBaseline, ...changes })).toEqual(expected)
})

test('nothing measured in the whole run is never green', () => {
  const none = { comparisons: [], projects: [] }
  expect(problemsOf({ ...none, tests: [] })).toEqual(['no test ran: nothing was measured'])
  expect(problemsOf({ ...none, tests: [ran('istio', { state: 'skipped' })], filtered: true })).toEqual([
    'no test ran: nothing was measured',
  ])
  expect(problemsOf(none)).toEqual(['no comparison in the whole run: nothing was measured'])
  expect(problemsOf({ ...none, tests: [ran('istio', { benchmarks: 1 })] })).toEqual([])
})
