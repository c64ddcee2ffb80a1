import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { halfWidth, relativeFromLogRatio } from './block-estimate.ts'
import { estimateFromBlocks } from './estimate.ts'
import { createRandom } from './random.ts'

const normals = (n: number, seed: string): number[] => {
  const random = createRandom(seed)
  return Array.from({ length: n }, () => 0.03 + 0.01 * random.normal())
}

test('an estimate with its bounds', () => {
  expect(estimateFromBlocks(normals(48, 'blocks'), { looks: 4 })).toMatchInlineSnapshot(`
    {
      "decisionHigh": 0.03563191133408203,
      "decisionLow": 0.02389117024426643,
      "effectiveN": 34.84052185746886,
      "estimate": 0.02983303989349153,
      "high": 0.033861206775293404,
      "kind": "estimate",
      "lag1": 0.15834242898749235,
      "low": 0.02546435135725655,
      "n": 48,
    }
  `)
})

test('under 20 blocks nothing is said', () => {
  expect(estimateFromBlocks(normals(17, 'few'), { looks: 4 })).toMatchInlineSnapshot(`
    {
      "kind": "refused",
      "message": "17 valid blocks, at least 20 are needed: 3 more",
      "missing": 3,
      "reason": "too few blocks",
    }
  `)
  expect(estimateFromBlocks([], { looks: 4 }).kind).toBe('refused')
})

test('blocks that are all alike give no interval of no width', () => {
  expect(
    estimateFromBlocks(
      Array.from({ length: 30 }, () => 0.01),
      { looks: 4 },
    ),
  ).toMatchInlineSnapshot(`
    {
      "kind": "refused",
      "message": "30 blocks gave the same figure: the clock is too coarse or nothing was measured, so no interval can be given",
      "reason": "no variation",
    }
  `)
  const almost = [...Array.from({ length: 29 }, () => 0.01), 0.02]
  expect(estimateFromBlocks(almost, { looks: 4 }).kind).toBe('refused')
})

test('bounds are in order, whatever the blocks', () => {
  const value = fc.double({ min: -1, max: 1, noNaN: true })
  fc.assert(
    fc.property(fc.array(value, { minLength: 20, maxLength: 70 }), fc.integer({ min: 1, max: 4 }), (values, looks) => {
      const result = estimateFromBlocks(values, { looks })
      if (result.kind === 'refused') return
      const { decisionLow, low, estimate, high, decisionHigh, effectiveN, n } = result
      const bounds = [decisionLow, low, estimate, high, decisionHigh]
      expect(bounds).toEqual(bounds.toSorted((one, other) => one - other))
      expect(high).toBeGreaterThan(low)
      expect(effectiveN).toBeLessThanOrEqual(n)
    }),
  )
})

test('arms swapped: the signs turn', () => {
  const values = normals(40, 'swap')
  const there = estimateFromBlocks(values, { looks: 4 })
  const back = estimateFromBlocks(
    values.map((value) => -value),
    { looks: 4 },
  )
  if (there.kind === 'refused' || back.kind === 'refused') throw new Error('40 blocks are enough')
  expect(back.estimate).toBeCloseTo(-there.estimate, 12)
  expect(back.low).toBeCloseTo(-there.high, 12)
  expect(back.decisionHigh).toBeCloseTo(-there.decisionLow, 12)
})

test('more looks and more autocorrelation widen', () => {
  const values = normals(60, 'wide')
  const one = estimateFromBlocks(values, { looks: 1 })
  const four = estimateFromBlocks(values, { looks: 4 })
  const wandering = estimateFromBlocks(
    values.toSorted((a, b) => a - b),
    { looks: 4 },
  )
  if (one.kind === 'refused' || four.kind === 'refused' || wandering.kind === 'refused') throw new Error('enough')
  expect(four.decisionHigh).toBeGreaterThan(one.decisionHigh)
  expect(four.high).toBe(one.high)
  expect(halfWidth(wandering)).toBeGreaterThan(3 * halfWidth(four))
  expect(wandering.effectiveN).toBeLessThan(6)
})

test('log-ratios become fractions', () => {
  const estimate = estimateFromBlocks(normals(48, 'blocks'), { looks: 4 })
  if (estimate.kind === 'refused') throw new Error('48 blocks are enough')
  expect(relativeFromLogRatio(estimate).relative).toBeCloseTo(Math.exp(estimate.estimate) - 1, 12)
})

test('what is not a number, or not a number of looks, is refused', () => {
  expect(() => estimateFromBlocks([1, Number.NaN], { looks: 4 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: Block values must be finite numbers]`,
  )
  expect(() => estimateFromBlocks([1], { looks: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: Planned looks are a whole number from 1, not 0]`,
  )
})

test('300 blocks are quick enough to be looked at every second', () => {
  const values = normals(300, 'many')
  const started = performance.now()
  estimateFromBlocks(values, { looks: 4 })
  expect(performance.now() - started).toBeLessThan(1_000)
})
