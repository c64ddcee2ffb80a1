import { expect, test } from 'vitest'
import { isSupportedNode, parseVersion } from './node-version.mjs'

test('reads a version with or without the v', () => {
  expect(parseVersion('v26.10.0\n')).toEqual([26, 10, 0])
  expect(parseVersion('22.18.1-nightly')).toEqual([22, 18, 1])
  expect(parseVersion('none')).toBeUndefined()
})

test.for([
  ['20.20.2', false],
  ['22.17.1', false],
  ['22.18.0', true],
  ['23.11.0', false],
  ['24.10.0', false],
  ['24.11.0', true],
  ['25.9.0', false],
  ['26.0.0', true],
  ['28.1.0', true],
  ['none', false],
])('Node %s is supported: %s', ([version, supported]) => {
  expect(isSupportedNode(version)).toBe(supported)
})
