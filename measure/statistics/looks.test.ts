import { expect, test } from 'vitest'
import { planLooks, shouldStop } from './looks.ts'

test('four looks, at quarters of the cap', () => {
  expect(planLooks(30_000)).toEqual([7_500, 15_000, 22_500, 30_000])
})

test('looks that would see under 20 blocks are left out', () => {
  expect(planLooks(30_000, 400)).toEqual([15_000, 22_500, 30_000])
  expect(planLooks(6_000, 400)).toEqual([6_000])
})

test('a cap is a positive time', () => {
  expect(() => planLooks(0)).toThrowErrorMatchingInlineSnapshot(`[RangeError: The cap is a positive time in ms, not 0]`)
})

test('precision ends the measuring at a look only', () => {
  const looksMs = planLooks(30_000)
  const ask = (looksTaken: number, measuredMs: number, halfWidth: number | null): ReturnType<typeof shouldStop> =>
    shouldStop({ looksMs, looksTaken, measuredMs, blocks: 40, halfWidth, precision: 0.005 })
  expect(ask(0, 7_400, 0.001)).toEqual({ stop: null, looksTaken: 0 })
  expect(ask(0, 7_600, 0.006)).toEqual({ stop: null, looksTaken: 1 })
  expect(ask(1, 8_000, 0.001)).toEqual({ stop: null, looksTaken: 1 })
  expect(ask(1, 15_100, 0.005)).toEqual({ stop: 'precision', looksTaken: 2 })
  expect(ask(1, 23_000, null)).toEqual({ stop: null, looksTaken: 3 })
  expect(ask(3, 30_200, 0.02)).toEqual({ stop: 'cap', looksTaken: 4 })
  expect(ask(3, 30_200, null)).toEqual({ stop: 'cap', looksTaken: 4 })
})

test('the cap waits for the fewest blocks that say anything, up to a quarter of it', () => {
  const looksMs = planLooks(30_000)
  const ask = (measuredMs: number, blocks: number): ReturnType<typeof shouldStop> =>
    shouldStop({ looksMs, looksTaken: 3, measuredMs, blocks, halfWidth: null, precision: 0.005 })
  expect(ask(30_200, 20)).toEqual({ stop: 'cap', looksTaken: 4 })
  expect(ask(30_200, 19)).toEqual({ stop: null, looksTaken: 3 })
  expect(ask(37_400, 19)).toEqual({ stop: null, looksTaken: 3 })
  expect(ask(37_600, 19)).toEqual({ stop: 'cap', looksTaken: 4 })
})
