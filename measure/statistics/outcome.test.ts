import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide, decideFaster } from './outcome.ts'
import type { DecisionBounds } from './outcome.ts'

const bounds = (
  low: number | null,
  high: number | null,
  lowUs: number | null = null,
  highUs: number | null = null,
): DecisionBounds => ({
  decisionLow: low,
  decisionHigh: high,
  differenceDecisionLowUs: lowUs,
  differenceDecisionHighUs: highUs,
})

test.each([
  ['under', bounds(0.01, 0.029), 'pass'],
  ['over', bounds(0.031, 0.05), 'fail'],
  ['across', bounds(0.01, 0.05), 'inconclusive'],
  ['touching from below', bounds(0.01, 0.03), 'inconclusive'],
  ['touching from above', bounds(0.03, 0.05), 'inconclusive'],
  ['unknown', bounds(null, null), 'inconclusive'],
  ['not a number', bounds(Number.NaN, Number.NaN), 'inconclusive'],
] as const)('a budget of 3 %% and an interval %s', (_, interval, outcome) => {
  expect(decide(interval, { relative: 0.03 })).toBe(outcome)
})

test.each([
  ['dearer than both', bounds(0.04, 0.06, 21, 30), 'fail'],
  ['cheaper than the share', bounds(0.01, 0.02, 21, 30), 'pass'],
  ['cheaper than the floor', bounds(0.04, 0.06, 1, 19), 'pass'],
  ['dearer than the share, unclear against the floor', bounds(0.04, 0.06, 10, 30), 'inconclusive'],
  ['unclear against the share, dearer than the floor', bounds(0.01, 0.06, 21, 30), 'inconclusive'],
  ['dearer than the share, no difference known', bounds(0.04, 0.06), 'inconclusive'],
  ['cheaper than the share, no difference known', bounds(0.01, 0.02), 'pass'],
] as const)('a budget of 3 %% with a floor of 20 µs and an interval %s', (_, interval, outcome) => {
  expect(decide(interval, { relative: 0.03, atLeastUs: 20 })).toBe(outcome)
})

test('a larger budget never makes an outcome worse', () => {
  const rank = { fail: 0, inconclusive: 1, pass: 2 }
  const share = fc.double({ min: -0.5, max: 0.5, noNaN: true })
  fc.assert(
    fc.property(share, share, share, share, share, share, share, share, (a, b, c, d, one, other, floor, larger) => {
      const interval = bounds(Math.min(a, b), Math.max(a, b), Math.min(c, d), Math.max(c, d))
      const small = { relative: Math.min(one, other), atLeastUs: Math.min(floor, larger) }
      const large = { relative: Math.max(one, other), atLeastUs: Math.max(floor, larger) }
      expect(rank[decide(interval, large)]).toBeGreaterThanOrEqual(rank[decide(interval, small)])
      // A floor can only forgive.
      expect(rank[decide(interval, small)]).toBeGreaterThanOrEqual(rank[decide(interval, { relative: small.relative })])
    }),
  )
})

test('faster: the whole interval is below 0', () => {
  expect(decideFaster(bounds(-0.02, -0.001))).toBe('pass')
  expect(decideFaster(bounds(-0.02, 0.001))).toBe('inconclusive')
  expect(decideFaster(bounds(0.001, 0.02))).toBe('fail')
  expect(decideFaster(bounds(null, null))).toBe('inconclusive')
})
