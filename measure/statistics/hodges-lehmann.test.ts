import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { hodgesLehmann, signedRankInterval, walshAverages } from './hodges-lehmann.ts'
import { datasets } from './testdata/reference.ts'

test.each(datasets)('%s: estimate and intervals', (_, { values, hodgesLehmann: expected, intervals }) => {
  expect(hodgesLehmann(values)).toBeCloseTo(expected, 9)
  const averages = walshAverages(values)
  for (const { alpha, low, high } of intervals) {
    const interval = signedRankInterval(averages, values.length, alpha)
    expect(interval.low).toBeCloseTo(low, 9)
    expect(interval.high).toBeCloseTo(high, 9)
  }
})

const whole = fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 1, maxLength: 40 })

test('moves with the values, and scales with them', () => {
  fc.assert(
    fc.property(whole, fc.integer({ min: -100, max: 100 }), fc.integer({ min: 1, max: 50 }), (values, shift, scale) => {
      expect(hodgesLehmann(values.map((value) => value * scale + shift))).toBe(hodgesLehmann(values) * scale + shift)
    }),
  )
})

test('turns its sign with the values', () => {
  fc.assert(
    fc.property(whole, (values) => {
      const mirrored = values.map((value) => 0 - value)
      const interval = signedRankInterval(walshAverages(values), values.length, 0.05)
      const mirror = signedRankInterval(walshAverages(mirrored), values.length, 0.05)
      expect(hodgesLehmann(mirrored)).toBe(0 - hodgesLehmann(values))
      expect({ low: 0 - mirror.high, high: 0 - mirror.low }).toEqual({ low: interval.low + 0, high: interval.high + 0 })
    }),
  )
})

test('too few values for a level have no bounds', () => {
  expect(signedRankInterval(walshAverages([1, 2, 3]), 3, 0.025)).toEqual({ low: -Infinity, high: Infinity })
})

test('the largest numbers do not overflow', () => {
  expect(hodgesLehmann([1.5e308, 1.7e308])).toBeCloseTo(1.6e308, -300)
})
