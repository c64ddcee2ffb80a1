import { expect, test } from 'vitest'
import { withSystematic } from './systematic.ts'

const estimate = {
  relative: 4,
  low: 3.9,
  high: 4.1,
  decisionLow: 3.8,
  decisionHigh: 4.2,
  differenceUs: -200,
  differenceLowUs: -210,
  differenceHighUs: -190,
  differenceDecisionLowUs: -220,
  differenceDecisionHighUs: -180,
}

test('bounds move outwards by a hundredth of the estimate, which stays', () => {
  expect(withSystematic(estimate)).toEqual({
    relative: 4,
    low: expect.closeTo(3.86),
    high: expect.closeTo(4.14),
    decisionLow: expect.closeTo(3.76),
    decisionHigh: expect.closeTo(4.24),
    differenceUs: -200,
    differenceLowUs: -212,
    differenceHighUs: -188,
    differenceDecisionLowUs: -222,
    differenceDecisionHighUs: -178,
  })
})

test('between equal arms, and where nothing is known, nothing moves', () => {
  const none = { ...estimate, relative: 0, differenceUs: 0 }
  expect(withSystematic(none)).toEqual(none)
  const unknown = { ...estimate, relative: null, low: null, high: null, decisionLow: null, decisionHigh: null }
  expect(withSystematic(unknown)).toMatchObject({ relative: null, low: null, high: null, decisionLow: null })
})
