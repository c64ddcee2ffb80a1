import { describe, expect, test } from 'vitest'
import { addCounts, countVitest, renderCounts, countCargo } from './test-counts.mjs'

const file = (status, ...states) => ({ status, assertionResults: states.map((state) => ({ status: state })) })

describe('a Vitest run', () => {
  test('counts its tests', () => {
    const report = { testResults: [file('passed', 'passed', 'skipped', 'todo'), file('failed', 'passed', 'failed')] }
    expect(countVitest(report, 1)).toEqual({ passed: 2, failed: 1, skipped: 2 })
  })

  test.for([
    ['a file that could not be loaded', { testResults: [file('passed', 'passed'), file('failed')] }, 1, 1],
    ['an error outside of any test', { testResults: [file('passed', 'passed')] }, 1, 1],
    ['no tests at all', { testResults: [] }, 0, 0],
    ['no report', undefined, 0, 0],
    ['a report of something else', { testResults: 3 }, 0, 0],
  ])('counts %s as a failure', ([, report, exitCode, passed]) => {
    expect(countVitest(report, exitCode)).toEqual({ passed, failed: 1, skipped: 0 })
  })
})

test('adds up and says it', () => {
  const total = addCounts([
    { passed: 1, failed: 0, skipped: 2 },
    { passed: 3, failed: 1, skipped: 0 },
  ])
  expect(renderCounts(total)).toBe('4 passed, 1 failed, 2 skipped')
})

test('cargo test: all binaries together, and never better than the exit code', () => {
  const output = `
test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
test result: ok. 20 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 9.51s
`
  expect(countCargo(output, 0)).toEqual({ passed: 23, failed: 0, skipped: 1 })
  expect(countCargo(output, 101)).toEqual({ passed: 23, failed: 1, skipped: 1 })
  expect(countCargo('error: could not compile', 101)).toEqual({ passed: 0, failed: 1, skipped: 0 })
  expect(countCargo('', 0)).toEqual({ passed: 0, failed: 1, skipped: 0 })
})
