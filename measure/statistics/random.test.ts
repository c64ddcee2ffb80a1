import { expect, test } from 'vitest'
import { createRandom } from './random.ts'

test('the sequence of a seed never changes', () => {
  const random = createRandom('meshmark')
  // By an implementation of xoshiro128** in Python.
  expect([random.next(), random.next(), random.next(), random.next()]).toEqual([
    0.8103231285181687, 0.5337152748685824, 0.48545655147130073, 0.8480654265443468,
  ])
  expect(Array.from({ length: 5 }, () => random.int(100))).toEqual([50, 51, 89, 73, 83])
  expect([random.normal(), random.normal()]).toEqual([1.1497523115332857, -0.6310504903926981])
  expect(random.shuffle([1, 2, 3, 4, 5, 6])).toEqual([1, 2, 5, 6, 3, 4])
  expect(random.fork('x').next()).toBe(0.3432290227451713)
})

test('a fork depends on seed and label, not on what was drawn before', () => {
  const fresh = createRandom('seed')
  const used = createRandom('seed')
  used.next()
  expect(used.fork('order').next()).toBe(fresh.fork('order').next())
  expect(fresh.fork('order').next()).not.toBe(fresh.fork('bootstrap').next())
})

test('whole numbers are uniform: chi-squared over 7 values', () => {
  const random = createRandom('uniform')
  const counts = new Float64Array(7)
  for (let draw = 0; draw < 70_000; draw++) {
    const value = random.int(7)
    counts[value] = (counts[value] ?? 0) + 1
  }
  const chiSquared = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)
  expect(chiSquared).toBeLessThan(22.5) // 0.1 % point for 6 degrees of freedom
})

test('every order of a shuffle is as likely: chi-squared over 6 orders', () => {
  const random = createRandom('orders')
  const counts = new Map<string, number>()
  for (let draw = 0; draw < 60_000; draw++) {
    const order = random.shuffle(['a', 'b', 'c']).join('')
    counts.set(order, (counts.get(order) ?? 0) + 1)
  }
  expect(counts.size).toBe(6)
  expect([...counts.values()].reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)).toBeLessThan(20.5)
})

test('normal deviates have mean 0, variance 1 and a twentieth beyond 1.96', () => {
  const random = createRandom('normal')
  const values = Array.from({ length: 100_000 }, () => random.normal())
  expect(values.reduce((sum, value) => sum + value, 0) / 100_000).toBeCloseTo(0, 1.5)
  expect(values.reduce((sum, value) => sum + value * value, 0) / 100_000).toBeCloseTo(1, 1.5)
  expect(values.filter((value) => Math.abs(value) > 1.96).length / 100_000).toBeCloseTo(0.05, 2)
})

test('a range that is not a whole number from 1 is refused', () => {
  expect(() => createRandom('x').int(0)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: int(n): n is 1 to 2^32, not 0]`,
  )
})
