import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { podComponents } from './pod-components.ts'
import type { PodFigure } from './pod-components.ts'
import { createRandom } from './random.ts'
import { reference } from './testdata/reference.ts'

const designs = Object.entries(reference.podComponents)

test.each(designs)('%s: components are NumPy’s, from the matrices written out', (_, design) => {
  const { arms, noise } = podComponents(figuresOf(design))
  // Arms come with the one of most pods first; here that is the compared arm, or they have as many.
  expect(arms).toHaveLength(2)
  for (const [arm, { variance, weight }] of arms.entries()) {
    expect(variance).toBeCloseTo(design.variances[arm] ?? Number.NaN, 9)
    expect(weight).toBeCloseTo(design.weights[arm] ?? Number.NaN, 12)
  }
  expect(noise).toBeCloseTo(design.noise, 9)
})

test('as many blocks of every pair: the two-way analysis of variance', () => {
  const random = createRandom('balanced')
  const figures = Array.from({ length: 36 }, (_, block) => ({
    value: random.normal(),
    pod: (block + Math.floor(block / 6)) % 6,
    overPod: block % 6,
  }))
  const { arms, noise, crossing } = podComponents(figures)
  // A mean square between holds the noise and n/R = 6 times the component: over n, variance/R + noise/n.
  for (const { variance, meanSquare, df, weight } of arms) {
    expect(meanSquare).toBeCloseTo(variance / 6 + noise / 36, 12)
    expect(df).toBe(5)
    expect(weight).toBeCloseTo(1 / 6, 12)
  }
  expect(crossing).toBeCloseTo(1, 12)
})

test('pods tied in pairs are one component', () => {
  const random = createRandom('tied')
  const figures = Array.from({ length: 40 }, (_, block) => ({
    value: 3 * (block % 4) + random.normal(),
    pod: block % 4,
    overPod: block % 4,
  }))
  const { arms, crossing } = podComponents(figures)
  expect(arms).toHaveLength(1)
  expect(arms[0]?.variance).toBeGreaterThan(5)
  expect(crossing).toBe(1)
})

test('one pod an arm, or a pod for each block: no component', () => {
  const random = createRandom('none')
  const values = Array.from({ length: 24 }, () => random.normal())
  expect(podComponents(values.map((value) => ({ value, pod: 2, overPod: 5 }))).arms).toEqual([])
  expect(podComponents(values.map((value, block) => ({ value, pod: block, overPod: block }))).arms).toEqual([])
  expect(podComponents(values.map((value, block) => ({ value, pod: block % 6, overPod: 5 }))).arms).toHaveLength(1)
})

test('finite and within reason, whatever was measured on whatever pods', () => {
  const figure = fc.record({
    value: fc.double({ min: -1, max: 1, noNaN: true }),
    pod: fc.integer({ min: 0, max: 5 }),
    overPod: fc.integer({ min: 0, max: 5 }),
  })
  fc.assert(
    fc.property(fc.array(figure, { minLength: 20, maxLength: 60 }), (figures) => {
      const { arms, noise, crossing } = podComponents(figures)
      expect(noise).toBeGreaterThanOrEqual(0)
      expect(crossing).toBeGreaterThan(0)
      expect(crossing).toBeLessThanOrEqual(1)
      for (const { variance, weight, meanSquare, deviations } of arms) {
        expect(variance).not.toBeNaN()
        expect(weight).toBeLessThanOrEqual(1)
        expect(meanSquare).toBeGreaterThanOrEqual(0)
        // The blocks' mean is left as it is.
        expect(deviations.reduce((sum, deviation) => sum + deviation, 0)).toBeCloseTo(0, 9)
      }
    }),
  )
})

function figuresOf(design: { values: number[]; pod: number[]; overPod: number[] }): PodFigure[] {
  return design.values.map((value, block) => ({
    value,
    pod: design.pod[block] ?? Number.NaN,
    overPod: design.overPod[block] ?? Number.NaN,
  }))
}
