import { expect, test } from 'vitest'
import {
  askedOf,
  bytes,
  change,
  duration,
  estimate,
  figure,
  metricValue,
  microseconds,
  NBSP,
  plusMinus,
} from './figures.ts'

const read = (text: string): string => text.replaceAll(NBSP, ' ')

test('figures have four significant digits at most', () => {
  expect([0, 0.42, 8.214, 71.23, 541.04, 999.96, 1040.4, 31_204, 1_234_567].map(figure)).toEqual([
    '0',
    '0.42',
    '8.21',
    '71.2',
    '541.0',
    '1,000',
    '1,040',
    '31,200',
    '1,235,000',
  ])
})

test('units', () => {
  expect(
    [microseconds(0.423), microseconds(18.12), microseconds(212.4), microseconds(1040.4), microseconds(null)].map(read),
  ).toEqual(['0.42 µs', '18.1 µs', '212 µs', '1,040 µs', '–'])
  expect(
    [bytes(512), bytes(640_000), bytes(11_000_000), bytes(1_240_000_000), bytes(999_700), bytes(undefined)].map(read),
  ).toEqual(['512 B', '640 kB', '11 MB', '1.2 GB', '1.0 MB', '–'])
  expect([300, 9100, 30_000, 70_000, 252_000, 180_000].map(duration).map(read)).toEqual([
    '0.3 s',
    '9.1 s',
    '30 s',
    '70 s',
    '4 min 12 s',
    '3 min',
  ])
  expect([metricValue('throughput', 31_204), metricValue('memory', 130e6), metricValue('cpu', 0.4)].map(read)).toEqual([
    '31,200 /s',
    '130 MB',
    '0.40 µs',
  ])
})

test('changes carry a sign, 0 does not, and there is no minus zero', () => {
  expect([0.036, -0.009, 6.68, 0, -0.0001, 12.34, 0.62].map(change).map(read)).toEqual([
    '+3.6 %',
    '−0.9 %',
    '+668 %',
    '0.0 %',
    '0.0 %',
    '+1,234 %',
    '+62 %',
  ])
})

test('an estimate has as many decimals as its interval earns', () => {
  const rows: [number, number, number][] = [
    [0.036, 0.034, 0.038],
    [-0.0003, -0.0018, 0.0012],
    [6.68, 6.55, 6.8],
    [0.19, 0.184, 0.196],
    [0.62, 0.58, 0.66],
    [0.003, 0, 0.006],
    [3.524, 3.521, 3.527],
  ]
  expect(rows.map((row) => read(estimate(...row)))).toEqual([
    '+3.6 % [+3.4, +3.8]',
    '−0.03 % [−0.18, +0.12]',
    '+668 % [+655, +680]',
    '+19.0 % [+18.4, +19.6]',
    '+62 % [+58, +66]',
    '+0.3 % [0.0, +0.6]',
    '+352.4 % [+352.1, +352.7]',
  ])
  expect(read(estimate(2.1, null, null))).toBe('+210 %')
})

test('noise floors and budgets', () => {
  expect([0.0015, 0.002, 0.034, 0.12].map(plusMinus).map(read)).toEqual(['±0.15 %', '±0.2 %', '±3.4 %', '±12 %'])
  expect(
    [
      askedOf({ claim: 'below', budget: { relative: 0.03 } }),
      askedOf({ budget: { relative: 0.005, atLeastUs: 20 } }),
      askedOf({ claim: 'below', budget: { relative: 100 } }),
      askedOf({ claim: 'faster', budget: { relative: 0 } }),
    ].map(read),
  ).toEqual(['< 3 %', '< 0.5 % or 20 µs', '< 10,000 %', 'faster'])
})
