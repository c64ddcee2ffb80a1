import { expect, test } from 'vitest'
import { testDrift } from './drift.ts'
import { reference } from './testdata/reference.ts'

const points = (atMs: readonly number[], values: readonly number[]): { atMs: number; value: number }[] =>
  atMs.map((at, index) => ({ atMs: at, value: values[index] ?? Number.NaN }))

test.each(Object.entries(reference.drift))('%s blocks: tau, p and slope', (_, expected) => {
  const drift = testDrift(points(expected.atMs, expected.values))
  expect(drift?.tau).toBeCloseTo(expected.tau, 9)
  expect(drift?.p).toBeCloseTo(expected.p, 9)
  expect(drift?.perMinute).toBeCloseTo(expected.perMinute, 9)
})

const untied = Object.entries(reference.drift).flatMap(([name, { scipyExactP, ...rest }]) =>
  scipyExactP === null ? [] : [[name, { exactP: scipyExactP, ...rest }] as const],
)

test.each(untied)('%s blocks: SciPy’s own tau, and p near that of its exact test', (_, expected) => {
  const drift = testDrift(points(expected.atMs, expected.values))
  expect(drift?.tau).toBeCloseTo(expected.scipyTau, 9)
  expect(Math.abs((drift?.p ?? 1) - expected.exactP)).toBeLessThan(0.005)
})

test('a straight line, given in any order', () => {
  const line = [5, 3, 7, 1, 6, 2, 4, 8].map((step) => ({ atMs: step * 1_000, value: 80 + step }))
  expect(testDrift(line)).toMatchInlineSnapshot(`
    {
      "p": 0.0008366271311193045,
      "perMinute": 60,
      "tau": 1,
    }
  `)
})

test('values that never change do not drift', () => {
  expect(testDrift(points([0, 1, 2, 3, 4, 5, 6, 7], [8, 8, 8, 8, 8, 8, 8, 8]))).toEqual({ tau: 0, p: 1, perMinute: 0 })
})

test('too few blocks, or all at one time, say nothing', () => {
  expect(testDrift(points([0, 1, 2], [1, 2, 3]))).toBeNull()
  expect(testDrift(points([5, 5, 5, 5, 5, 5, 5, 5], [1, 2, 3, 4, 5, 6, 7, 8]))).toBeNull()
})
