import { expect, test } from 'vitest'
import { secondsToDecide } from './seconds-to-decide.ts'
import type { DecisionEstimate } from './seconds-to-decide.ts'

const estimate = (relative: number, half: number, us: number | null = null, halfUs = 0): DecisionEstimate => ({
  relative,
  decisionLow: relative - half,
  decisionHigh: relative + half,
  differenceUs: us,
  differenceDecisionLowUs: us === null ? null : us - halfUs,
  differenceDecisionHighUs: us === null ? null : us + halfUs,
})

test('time grows with the square of what the interval must shrink by', () => {
  // 30 s gave ±2 %, the budget is 1.3 % away: 2 % · 1.3 / 1.3 % is twice, so four times the time, 90 s more.
  expect(secondsToDecide(estimate(0.017, 0.02), { relative: 0.03 }, 30_000)).toBeCloseTo(90, -1)
  expect(secondsToDecide(estimate(0.043, 0.02), { relative: 0.03 }, 30_000)).toBeCloseTo(90, -1)
})

test('time does not make pods alike', () => {
  const known = estimate(0.017, 0.02)
  // A tenth of the variance is the pods': a quarter of the whole is still in reach, at (1 − 0.1) / (0.25 − 0.1) times the time.
  expect(secondsToDecide({ ...known, podShare: 0.1 }, { relative: 0.03 }, 30_000)).toBeCloseTo(150, -1)
  expect(secondsToDecide({ ...known, podShare: 0.9 }, { relative: 0.03 }, 30_000)).toBeNull()
})

test('decided already: nothing more', () => {
  expect(secondsToDecide(estimate(0.01, 0.005), { relative: 0.03 }, 30_000)).toBe(0)
})

test('so close that more than ten minutes would be needed', () => {
  expect(secondsToDecide(estimate(0.0295, 0.02), { relative: 0.03 }, 30_000)).toBeNull()
  expect(secondsToDecide(estimate(0.03, 0.02), { relative: 0.03 }, 30_000)).toBeNull()
})

test('with a floor: the sooner part to pass, the later part to fail', () => {
  const budget = { relative: 0.03, atLeastUs: 20 }
  const passing = secondsToDecide(estimate(0.01, 0.03, 19, 8), budget, 30_000)
  expect(passing).toBe(secondsToDecide(estimate(0.01, 0.03), { relative: 0.03 }, 30_000))
  const failing = secondsToDecide(estimate(0.1, 0.01, 26, 8), budget, 30_000)
  expect(failing).toBe(Math.ceil(30 * (((1.3 * 8) / 6) ** 2 - 1)))
  const floorDecides = secondsToDecide(estimate(0.1, 0.01, 14, 8), budget, 30_000)
  expect(floorDecides).toBe(failing)
})

test('nothing known, nothing said', () => {
  const unknown = { ...estimate(0, 0), relative: null, decisionLow: null, decisionHigh: null }
  expect(secondsToDecide(unknown, { relative: 0.03 }, 30_000)).toBeNull()
})
