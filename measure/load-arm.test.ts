import { expect, test } from 'vitest'
import { createLoadFunction, loadArmOf } from './load-arm.ts'
import { parseHttpOptions } from './load-options.ts'

const arm = {
  ...parseHttpOptions({}),
  pods: [],
  describe: () => {
    throw new Error('not described in this test')
  },
}

test('a load carries its arm, and a plain function carries none', () => {
  expect(loadArmOf(createLoadFunction(arm))?.plan.kind).toBe('paired')
  expect(loadArmOf(() => 1)).toBeUndefined()
  expect(loadArmOf(undefined)).toBeUndefined()
})

test('a load that is called says that the plugin is missing', () => {
  expect(createLoadFunction(arm)).toThrow("meshmark's benchmark provider isn't active")
})
