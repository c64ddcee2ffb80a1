import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { mean, median, medianAbsoluteDeviation, quantile, sortedCopy } from './quantile.ts'
import { datasets } from './testdata/reference.ts'

test.each(datasets)('%s: quantiles, mean and MAD are NumPy’s', (_, { values, quantiles, mean: expected, mad }) => {
  const sorted = sortedCopy(values)
  for (const [q, value] of quantiles) expect(quantile(sorted, q)).toBeCloseTo(value, 9)
  expect(mean(values)).toBeCloseTo(expected, 9)
  expect(medianAbsoluteDeviation(values)).toBeCloseTo(mad, 9)
})

test('a quantile lies within the values and grows with q', () => {
  const finite = fc.double({ min: -1e9, max: 1e9, noNaN: true })
  const share = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(fc.array(finite, { minLength: 1 }), share, share, (values, one, other) => {
      const sorted = sortedCopy(values)
      const low = quantile(sorted, Math.min(one, other))
      const high = quantile(sorted, Math.max(one, other))
      expect(low).toBeLessThanOrEqual(high)
      expect(low).toBeGreaterThanOrEqual(quantile(sorted, 0))
      expect(high).toBeLessThanOrEqual(quantile(sorted, 1))
    }),
  )
})

test('the median does not ask for an order, and leaves the array as it was', () => {
  const values = [10, 2, 9, 1]
  expect(median(values)).toBe(5.5)
  expect(values).toEqual([10, 2, 9, 1])
})

test('nothing to take a quantile of, or a share that is none', () => {
  expect(() => median([])).toThrowErrorMatchingInlineSnapshot(`[RangeError: No values to take a quantile of]`)
  expect(() => mean([])).toThrowErrorMatchingInlineSnapshot(`[RangeError: No values to take a mean of]`)
  expect(() => quantile([1], 95)).toThrowErrorMatchingInlineSnapshot(`[RangeError: A quantile is from 0 to 1, not 95]`)
})
