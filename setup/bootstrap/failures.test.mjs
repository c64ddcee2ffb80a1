import { expect, test } from 'vitest'
import { describeFailures } from './failures.mjs'

test('failed tests with what they said, and files that could not be loaded', () => {
  const report = {
    testResults: [
      {
        name: '/checkout/test/e2e/first.test.ts',
        status: 'failed',
        assertionResults: [
          { status: 'passed', fullName: 'one', failureMessages: [] },
          {
            status: 'failed',
            fullName: 'two',
            failureMessages: ['AssertionError: exit code 1\n    at first.test.ts:3'],
          },
        ],
      },
      { name: '/checkout/broken.test.ts', status: 'failed', message: 'Cannot find module x', assertionResults: [] },
      { name: '/checkout/good.test.ts', status: 'passed', assertionResults: [{ status: 'passed', fullName: 'three' }] },
    ],
  }
  expect(describeFailures(report)).toMatchInlineSnapshot(`
    "× test/e2e/first.test.ts › two
        AssertionError: exit code 1
            at first.test.ts:3
    × /checkout/broken.test.ts
        Cannot find module x"
  `)
})

test('of a long message the beginning and the end', () => {
  const message = Array.from({ length: 100 }, (_, line) => `line ${line}`).join('\n')
  const report = {
    testResults: [
      {
        name: 'a.test.ts',
        status: 'failed',
        assertionResults: [{ status: 'failed', fullName: 'long', failureMessages: [message] }],
      },
    ],
  }
  const lines = describeFailures(report).split('\n')
  expect([lines[0], lines[1], lines[21], lines.at(-1), lines.length]).toEqual([
    '× a.test.ts › long',
    '    line 0',
    '    … 74 lines …',
    '    line 99',
    28,
  ])
})

test.for([undefined, null, 3, {}, { testResults: 'none' }])('nothing where there is no report: %j', (report) => {
  expect(describeFailures(report)).toBe('')
})
