import { expect, test } from 'vitest'
import {
  cautiousWidthFactor,
  correctedLag1,
  effectiveCount,
  lag1Autocorrelation,
  widthFactor,
} from './autocorrelation.ts'
import { mean } from './quantile.ts'
import { createRandom } from './random.ts'
import { drawBlocks } from './testdata/block-process.ts'
import { datasets, reference } from './testdata/reference.ts'

test.each(datasets)('%s: lag-1 autocorrelation is NumPy’s', (_, { values, lag1 }) => {
  expect(lag1Autocorrelation(values)).toBeCloseTo(lag1, 9)
})

test.each(reference.widthFactors)('width factor at %d with %d values, from the covariance matrix', (rho, n, factor) => {
  expect(widthFactor(rho, n)).toBeCloseTo(factor, 9)
  expect(effectiveCount(rho, n)).toBeCloseTo(n / factor ** 2, 9)
})

test.each([0, 0.15, 0.3, 0.5])('at %d the mean of the corrected estimates from 20 values is near', (rho) => {
  const random = createRandom(`lag1 ${rho}`)
  const blocks = Array.from({ length: 5_000 }, () => drawBlocks('normal', rho, 20, random))
  expect(Math.abs(mean(blocks.map(correctedLag1)) - rho)).toBeLessThan(0.02)
  // The plain estimate is far off: what the correction is for.
  expect(mean(blocks.map(lag1Autocorrelation)) - rho).toBeLessThan(-0.04)
})

test('never narrows, and stays finite', () => {
  expect(widthFactor(-0.5, 20)).toBe(1)
  expect(widthFactor(0, 20)).toBe(1)
  expect(cautiousWidthFactor(-0.5, 20)).toBeGreaterThan(1)
  expect(cautiousWidthFactor(0.95, 20)).toBeLessThan(30)
})

test('constant values have none; few values are refused', () => {
  expect(lag1Autocorrelation([3, 3, 3])).toBe(0)
  expect(() => correctedLag1([1, 2, 3])).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: Autocorrelation needs 6 values or more, not 3]`,
  )
})
