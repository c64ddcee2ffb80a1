import { expect, test } from 'vitest'
import { createRandom } from '../statistics/random.ts'
import { createPodRota } from './pod-rota.ts'

const random = createRandom('rota')

test('every sweep uses each pod once, and in R sweeps all pods of the first two arms meet', () => {
  const rota = createPodRota([3, 3], random)
  const meetings = Array.from({ length: 9 }, (_, block) => rota(block).join(':'))
  expect(meetings).toEqual(['0:0', '1:1', '2:2', '0:1', '1:2', '2:0', '0:2', '1:0', '2:1'])
  expect(new Set(meetings).size).toBe(9)
})

test('of more arms, too, every sweep uses each pod once, and no two are tied', () => {
  const [arms, pods, sweeps] = [5, 4, 32]
  const rota = createPodRota(
    Array.from({ length: arms }, () => pods),
    random,
  )
  const blocks = Array.from({ length: pods * sweeps }, (_, block) => rota(block))
  for (let arm = 0; arm < arms; arm++) {
    for (let sweep = 0; sweep < sweeps; sweep++) {
      const used = blocks.slice(sweep * pods, (sweep + 1) * pods).map((block) => block[arm])
      expect(used.toSorted()).toEqual([0, 1, 2, 3])
    }
    for (let other = 0; other < arm; other++) {
      const met = new Set(blocks.map((block) => `${block[arm]}:${block[other]}`))
      expect(met.size, `arms ${other} and ${arm}`).toBe(pods * pods)
    }
  }
})

test('the same seed gives the same rota', () => {
  const of = (seed: string): readonly number[][] =>
    Array.from({ length: 12 }, (_, block) => [...createPodRota([4, 4, 4], createRandom(seed))(block)])
  expect(of('a')).toEqual(of('a'))
  expect(of('a')).not.toEqual(of('b'))
})

test('one pod an arm is always the one', () => {
  expect(createPodRota([1, 1, 1], random)(7)).toEqual([0, 0, 0])
})
