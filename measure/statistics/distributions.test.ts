import { expect, test } from 'vitest'
import { normalQuantile, normalUpperTail } from './normal-distribution.ts'
import { EXACT_SIGNED_RANK_MAX, signedRankDepth, signedRankDistribution } from './signed-rank.ts'
import { studentUpperQuantile } from './student-distribution.ts'
import { datasets, reference } from './testdata/reference.ts'

test.each(reference.normalQuantiles)('normal quantile of %d is SciPy’s', (p, z) => {
  expect(Math.abs(normalQuantile(p) - z)).toBeLessThan(1e-12)
})

test.each(reference.normalUpperTails)('normal upper tail of %d is SciPy’s', (z, p) => {
  expect(Math.abs(normalUpperTail(z) / p - 1)).toBeLessThan(1e-11)
})

test.each(reference.studentQuantiles)(
  't exceeded with probability %d at %d degrees of freedom is SciPy’s',
  (alpha, df, t) => {
    expect(Math.abs(studentUpperQuantile(alpha, df) / t - 1)).toBeLessThan(1e-9)
  },
)

test.each(Object.entries(reference.signedRank))(
  'signed-rank distribution of %s values, by whole numbers',
  (n, expected) => {
    const distribution = signedRankDistribution(Number(n))
    expect(distribution).toHaveLength(expected.length)
    for (const [t, probability] of expected.entries()) {
      expect(Math.abs((distribution[t] ?? Number.NaN) / probability - 1)).toBeLessThan(1e-12)
    }
  },
)

test.each(datasets)('%s: depth of the bounds', (_, { values, intervals }) => {
  for (const { alpha, depth } of intervals) expect(signedRankDepth(values.length, alpha)).toBe(depth)
})

test('exact and normal meet where one takes over', () => {
  for (const alpha of [0.002, 0.025]) {
    const exact = signedRankDepth(EXACT_SIGNED_RANK_MAX, alpha)
    const normal = signedRankDepth(EXACT_SIGNED_RANK_MAX + 1, alpha)
    expect(normal).toBeGreaterThan(exact)
    expect(normal - exact).toBeLessThan(30)
  }
})

test('five values have no bound at 1 %', () => {
  expect(signedRankDepth(5, 0.01)).toBe(0)
  expect(signedRankDepth(7, 0.01)).toBe(1)
})
