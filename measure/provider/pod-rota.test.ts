import { expect, test } from 'vitest'
import { createPodRota } from './pod-rota.ts'

test('every sweep uses each pod once, and in R sweeps all pods meet', () => {
  const rota = createPodRota([3, 3])
  const meetings = Array.from({ length: 9 }, (_, block) => rota(block).join(':'))
  expect(meetings).toEqual(['0:0', '1:1', '2:2', '0:1', '1:2', '2:0', '0:2', '1:0', '2:1'])
  expect(new Set(meetings).size).toBe(9)
})

test('one pod an arm is always the one', () => {
  expect(createPodRota([1, 1])(7)).toEqual([0, 0])
})
