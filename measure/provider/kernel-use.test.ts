import { expect, test } from 'vitest'
import { kernelUse, softirqUs } from './kernel-use.ts'

test('softirq time is that of the named CPUs alone', () => {
  const stat = 'cpu  9 9 9 9 9 9 99 9\ncpu0 1 2 3 4 5 6 70 8\ncpu1 1 2 3 4 5 6 11 8\ncpu10 1 2 3 4 5 6 500 8\nintr 1\n'
  expect(softirqUs([0, 1], stat)).toBe(810_000)
  expect(softirqUs([10], stat)).toBe(5_000_000)
})

test('windows are summed up to what a request costs', () => {
  const program = (runs: number, runNs: number) => [{ program: 'from_pod', runs, runNs }]
  expect(
    kernelUse([
      {
        requests: 100,
        start: { programs: program(1000, 50_000), softirqUs: 0 },
        end: { programs: program(1400, 98_000), softirqUs: 10_000 },
      },
      {
        requests: 100,
        start: { programs: program(5000, 0), softirqUs: 10_000 },
        end: { programs: [...program(5400, 52_000), { program: 'to_pod', runs: 0, runNs: 0 }], softirqUs: 10_000 },
      },
    ]),
  ).toEqual({
    requests: 200,
    programs: [{ program: 'from_pod', nsPerRun: 125, runsPerRequest: 4 }],
    programsUsPerRequest: 0.5,
    softirqUsPerRequest: 50,
  })
})

test('no request, no figure', () => {
  expect(kernelUse([])).toBeNull()
})
