import { expect, test } from 'vitest'
import type { Arm, ArmPolicy } from '../measure/record.ts'
import { chartsOf } from './charts.ts'
import { sampleArm, sampleComparison, sampleLatency, sampleOverhead, sampleRecord } from './testdata/sample-record.ts'
import { chartTables } from './terminal/chart-table.ts'
import { plain } from './terminal/paint.ts'

const policy = (rules: number, enforcedBy = 'eBPF'): ArmPolicy => ({
  file: `${rules}.yaml`,
  enforcedBy,
  rules,
  appliedMs: 3,
  verified: { allowed: 2, denied: 2 },
  drops: [],
})

function series(enforcedBy: string, costs: readonly number[], connection: Arm['request']['connection'] = 'keep-alive') {
  const arms = costs.map((cost, at) =>
    sampleArm(`${10 ** at} rules`, {
      mesh: enforcedBy === 'eBPF' ? 'cilium' : 'baseline',
      latencyUs: sampleLatency(60 * (1 + cost)),
      policy: policy(10 ** at, enforcedBy),
      request: { method: 'GET', path: '/', bodyBytes: 0, responseBytes: 3, connection },
    }),
  )
  return sampleComparison('cilium', {
    spec: 'bench/policy-scale.bench.ts',
    test: `${enforcedBy}, ${connection}`,
    reference: '1 rules',
    arms,
    overheads: costs
      .slice(1)
      .map((cost, at) => sampleOverhead('p50', cost, 0.002, { arm: `${10 ** (at + 1)} rules`, over: '1 rules' })),
  })
}

test('comparisons that differ in their rules alone are the series of a chart, by kind of connection', () => {
  const charts = chartsOf([
    series('eBPF', [0, 0.001, -0.001]),
    series('iptables-stateless', [0, 0.01, 0.19]),
    series('eBPF', [0, 0, 0.002], 'per-request'),
    sampleComparison('cilium'),
  ])
  expect(
    charts.map(({ title, y, series: list }) => [title, y, list.map(({ name, standIn }) => [name, standIn])]),
  ).toEqual([
    [
      'established flows by number of rules',
      'p50',
      [
        ['eBPF', true],
        ['iptables-stateless', false],
      ],
    ],
    ['new connections by number of rules', 'p50', [['eBPF', true]]],
  ])
  expect(charts[0]?.series[1]?.points).toEqual([
    { x: 1, relative: 0, low: 0, high: 0, valueUs: 60 },
    { x: 10, relative: 0.01, low: 0.008, high: 0.012, valueUs: 60.6 },
    { x: 100, relative: 0.19, low: 0.188, high: 0.192, valueUs: 71.39999999999999 },
  ])
})

test('a chart as text', () => {
  const charts = chartsOf([series('eBPF', [0, 0.001, -0.001]), series('iptables-stateless', [0, 0.01, 0.19])])
  expect(
    chartTables({ ...sampleRecord([]), charts }, 100, plain)
      .join('\n')
      .replaceAll('\u00a0', ' '),
  ).toMatchInlineSnapshot(`
    " established flows by number of rules
     p50 over the fewest                          1                    10                      100
     eBPF (lab)                             60.0 µs   +0.1 % [−0.1, +0.3]      −0.1 % [−0.3, +0.1]
     iptables-stateless                     60.0 µs   +1.0 % [+0.8, +1.2]   +19.0 % [+18.8, +19.2]
    "
  `)
})
