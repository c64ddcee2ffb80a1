import hdr from 'hdr-histogram-js'
import { expect, test } from 'vitest'
import { encodeHistogram } from './histogram.ts'

test('anyone can compute the quantiles again from the record', () => {
  const samples = Array.from({ length: 10_001 }, (_, index) => 50 + index / 100)
  const decoded = hdr.decodeFromCompressedBase64(encodeHistogram(samples) ?? '')
  expect(decoded.totalCount).toBe(10_001)
  // Three significant digits.
  expect(Math.abs(decoded.getValueAtPercentile(50) / 100_000 - 1)).toBeLessThan(0.001)
  expect(Math.abs(decoded.getValueAtPercentile(99) / 149_000 - 1)).toBeLessThan(0.001)
})

test('no samples are no histogram', () => {
  expect(encodeHistogram([])).toBeNull()
})
