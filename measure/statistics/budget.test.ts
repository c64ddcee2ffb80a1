import { expect, test } from 'vitest'
import { asRead, parseBudget } from './budget.ts'
import type { BudgetInput } from './budget.ts'
import { parseDurationMs, parseDurationUs, parsePercent } from './quantity.ts'

test.each<[BudgetInput, ReturnType<typeof parseBudget>]>([
  ['3%', { relative: 0.03 }],
  [' 0.5 % ', { relative: 0.005 }],
  ['350%', { relative: 3.5 }],
  ['0%', { relative: 0 }],
  [0.03, { relative: 0.03 }],
  [{ relative: '3%' }, { relative: 0.03 }],
  [
    { relative: '3%', atLeast: '20us' },
    { relative: 0.03, atLeastUs: 20 },
  ],
  [
    { relative: 0.03, atLeast: '0.3ms' },
    { relative: 0.03, atLeastUs: 300 },
  ],
  [
    { relative: '3%', atLeast: '20 µs' },
    { relative: 0.03, atLeastUs: 20 },
  ],
])('budget %j', (input, budget) => {
  expect(parseBudget(input)).toEqual(budget)
})

test.each([
  ['30s', 30_000],
  ['300ms', 300],
  ['20us', 0.02],
  ['500ns', 0.0005],
  ['2m', 120_000],
  ['1.5 min', 90_000],
])('%s is %d ms', (text, ms) => {
  expect(parseDurationMs(text)).toBeCloseTo(ms, 12)
  expect(parseDurationUs(text)).toBeCloseTo(ms * 1_000, 9)
})

test('both characters for micro are understood', () => {
  expect([parseDurationUs('20\u00b5s'), parseDurationUs('20\u03bcs')]).toEqual([20, 20])
})

test('what is not understood says what is', () => {
  expect(() => parsePercent('3')).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: '3' is not a share: '3%' or a fraction from 0 to 1, as 0.03, is]`,
  )
  expect(() => parsePercent(3)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: 3 may mean 3% or 300%: write '3%' or '300%']`,
  )
  expect(() => parsePercent(-0.01)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: -0.01 is not a share: '3%' or a fraction from 0 to 1, as 0.03, is]`,
  )
  expect(() => parsePercent(Number.NaN)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: NaN is not a share: '3%' or a fraction from 0 to 1, as 0.03, is]`,
  )
  expect(() => parsePercent('-3%')).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: '-3%' is not a share: '3%' or a fraction from 0 to 1, as 0.03, is]`,
  )
  expect(() => parseDurationMs('30')).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: '30' is not a time: a number with ns, us, ms, s or m, as '20us' or '30s', is]`,
  )
  expect(() => parseDurationMs('1h')).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: '1h' is not a time: a number with ns, us, ms, s or m, as '20us' or '30s', is]`,
  )
  expect(() => parseBudget({ relative: '3%', atLeast: '20' })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: '20' is not a time: a number with ns, us, ms, s or m, as '20us' or '30s', is]`,
  )
})

test('objects that are not budgets, as untyped callers may give them', () => {
  const budget = (json: string): unknown => Reflect.apply(parseBudget, undefined, [JSON.parse(json)])
  expect(() => budget('{"relative":"3%","atleast":"20us"}')).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: Budget has atleast, which is not understood: a budget is '3%', 0.03 or { relative: '3%', atLeast: '20us' }]`,
  )
  expect(() => budget('{"atLeast":"20us"}')).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: Budget {"atLeast":"20us"} has no relative part: a budget is '3%', 0.03 or { relative: '3%', atLeast: '20us' }]`,
  )
  expect(() => budget('null')).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: Budget null is not understood: a budget is '3%', 0.03 or { relative: '3%', atLeast: '20us' }]`,
  )
  expect(() => budget('["3%"]')).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: Budget ["3%"] is not understood: a budget is '3%', 0.03 or { relative: '3%', atLeast: '20us' }]`,
  )
})

test('a budget that was read means what it says; the same numbers of a spec may not', () => {
  const read = parseBudget('300%')
  expect(parseBudget(asRead(read))).toEqual({ relative: 3 })
  expect(() => parseBudget({ relative: 3 })).toThrow(TypeError)
})
