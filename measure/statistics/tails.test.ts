import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { cautiousWidthFactor } from './autocorrelation.ts'
import { poolSamples } from './pooled-samples.ts'
import { quantile, sortedCopy } from './quantile.ts'
import { createRandom } from './random.ts'
import { studentUpperQuantile } from './student-distribution.ts'
import { estimateTails } from './tails.ts'
import type { TailBlock } from './tails.ts'
import { reference } from './testdata/reference.ts'

const blocks: TailBlock[] = reference.tails.a.map((a, index) => ({
  a: Float64Array.from(a),
  b: Float64Array.from(reference.tails.b[index] ?? []),
}))

test.each(['p50', 'p95', 'p99', 'mean'] as const)('%s: figures are NumPy’s, errors its bootstrap’s', (metric) => {
  const expected = reference.tails.figures[metric]
  const result = estimateTails(blocks, { looks: 4, seed: 'test' })[metric]
  if (result.kind === 'refused') throw new Error(result.message)
  expect(result.aUs).toBeCloseTo(expected.aUs, 9)
  expect(result.bUs).toBeCloseTo(expected.bUs, 9)
  expect(result.logRatio.estimate).toBeCloseTo(expected.logRatio, 9)
  // Two bootstraps of 2,000 and 4,000 resamples: each standard error is known to about 1.6 and 1.1 %.
  const { logRatio, differenceUs } = result
  expect(Math.abs(errorOf(logRatio) / expected.logRatioError - 1)).toBeLessThan(0.08)
  expect(Math.abs(errorOf(differenceUs) / expected.differenceError - 1)).toBeLessThan(0.08)
})

/** The bootstrap's standard error, back from the interval. */
function errorOf({ high, estimate, n, lag1 }: { high: number; estimate: number; n: number; lag1: number }): number {
  return (
    (high - estimate) / (studentUpperQuantile(0.025, n - 1) * cautiousWidthFactor(lag1, n) * Math.sqrt(n / (n - 1)))
  )
}

test('a weighted quantile is the quantile of the samples written out', () => {
  const block = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 400 })
  const share = fc.constantFrom(0, 0.1, 0.5, 0.9, 0.99, 1)
  fc.assert(
    fc.property(
      fc.array(fc.tuple(block, fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: 6 }),
      share,
      (weighted, q) => {
        const pool = poolSamples(weighted.map(([samples]) => Float64Array.from(samples)))
        const weights = Float64Array.from(weighted, ([, weight]) => weight)
        const written = weighted.flatMap(([samples, weight]) => Array.from({ length: weight }, () => samples).flat())
        fc.pre(written.length > 0)
        expect(pool.quantile(weights, q)).toBe(quantile(sortedCopy(written), q))
        expect(pool.mean(weights)).toBeCloseTo(written.reduce((sum, value) => sum + value, 0) / written.length, 9)
      },
    ),
  )
})

test('no block counted at all has no quantile', () => {
  expect(poolSamples([Float64Array.of(1, 2)]).quantile(Float64Array.of(0), 0.5)).toBeNaN()
})

test('tails with too few samples say how many are missing', () => {
  const { p99, 'p99.9': p999 } = estimateTails(
    blocks.map(({ a, b }) => ({ a: a.subarray(0, 200), b })),
    { looks: 4, seed: 'test' },
  )
  expect([p99, p999]).toMatchInlineSnapshot(`
    [
      {
        "kind": "refused",
        "message": "p99 needs 10,000 samples of each arm, there are 8,000: 2,000 more",
        "missing": 2000,
        "reason": "too few samples",
      },
      {
        "kind": "refused",
        "message": "p99.9 needs 100,000 samples of each arm, there are 8,000: 92,000 more",
        "missing": 92000,
        "reason": "too few samples",
      },
    ]
  `)
})

test('under 20 blocks nothing is said', () => {
  expect(estimateTails(blocks.slice(0, 19), { looks: 4, seed: 'test' }).p50).toMatchInlineSnapshot(`
    {
      "kind": "refused",
      "message": "19 valid blocks, at least 20 are needed: 1 more",
      "missing": 1,
      "reason": "too few blocks",
    }
  `)
})

test('samples that never vary give no interval', () => {
  const still = Array.from({ length: 20 }, () => ({
    a: new Float64Array(10).fill(80.1),
    b: new Float64Array(10).fill(80.1),
  }))
  const { p50, mean } = estimateTails(still, { looks: 4, seed: 'test' })
  expect(mean).toEqual(p50)
  expect(p50).toMatchInlineSnapshot(`
    {
      "kind": "refused",
      "message": "20 blocks gave the same figure: the clock is too coarse or nothing was measured, so no interval can be given",
      "reason": "no variation",
    }
  `)
})

test('the same seed gives the same bounds, arms swapped turn the signs, and bounds are in order', () => {
  const there = estimateTails(blocks, { looks: 4, seed: 'test' }).p95
  const again = estimateTails(blocks, { looks: 4, seed: 'test' }).p95
  const back = estimateTails(
    blocks.map(({ a, b }) => ({ a: b, b: a })),
    { looks: 4, seed: 'test' },
  ).p95
  if (there.kind === 'refused' || back.kind === 'refused') throw new Error('40 blocks are enough')
  expect(again).toEqual(there)
  expect(back.logRatio.estimate).toBeCloseTo(-there.logRatio.estimate, 12)
  expect(back.logRatio.decisionLow).toBeCloseTo(-there.logRatio.decisionHigh, 12)
  const { decisionLow, low, estimate, high, decisionHigh } = there.differenceUs
  const bounds = [decisionLow, low, estimate, high, decisionHigh]
  expect(bounds).toEqual(bounds.toSorted((one, other) => one - other))
})

test('latencies of 0 or below have no ratio', () => {
  const zero = blocks.map(({ a, b }) => ({ a: a.map((value, index) => (index === 0 ? 0 : value)), b }))
  expect(() => estimateTails(zero, { looks: 4, seed: 'test' })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: Latencies must be above 0: their ratio is taken]`,
  )
})

test('100 blocks of 2,000 samples an arm take about a second', () => {
  const random = createRandom('speed')
  const arm = (): Float64Array => Float64Array.from({ length: 2_000 }, () => 100 * Math.exp(0.3 * random.normal()))
  const many = Array.from({ length: 100 }, () => ({ a: arm(), b: arm() }))
  const started = performance.now()
  expect(estimateTails(many, { looks: 4, seed: 'speed' })['p99.9'].kind).toBe('estimate')
  // Generous: other work shares the machine.
  expect(performance.now() - started).toBeLessThan(15_000)
}, 60_000)
