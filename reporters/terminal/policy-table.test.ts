import { expect, test } from 'vitest'
import type { ArmPolicy, KernelUse } from '../../measure/record.ts'
import { sampleArm, sampleComparison, sampleOverhead, sampleRecord } from '../testdata/sample-record.ts'
import { kernelTable } from './kernel-table.ts'
import { plain } from './paint.ts'
import { policyTable } from './policy-table.ts'

const policy = (enforcedBy: string, rules: number, drops: ArmPolicy['drops'] = []): ArmPolicy => ({
  file: 'manifests/policies/l3-l4.yaml',
  enforcedBy,
  rules,
  appliedMs: 3,
  verified: { allowed: 8, denied: 16 },
  drops,
})
const kernel = (nsPerRun: number): KernelUse => ({
  requests: 1000,
  programs: nsPerRun === 0 ? [] : [{ program: 'from_pod', nsPerRun, runsPerRequest: 4 }],
  programsUsPerRequest: (nsPerRun * 4) / 1000,
  softirqUsPerRequest: 2.1,
})

const comparison = sampleComparison('cilium', {
  spec: 'bench/policy.bench.ts',
  test: 'an L3/L4 policy',
  reference: 'no policy',
  arms: [
    sampleArm('no policy', { mesh: 'cilium', kernel: kernel(104) }),
    sampleArm('eBPF L3/L4', {
      mesh: 'cilium',
      kernel: kernel(118),
      policy: policy('eBPF', 1, [
        { pod: 'p3', reason: 'policy denied', rule: null, packets: 6 },
        { pod: 'p4', reason: 'policy denied', rule: null, packets: 4 },
      ]),
    }),
    sampleArm('routed', { mesh: 'baseline', kernel: kernel(0) }),
  ],
  overheads: [
    sampleOverhead('p50', 0.003, 0.003, {
      arm: 'eBPF L3/L4',
      over: 'no policy',
      outcome: 'pass',
      budget: { relative: 0.03 },
    }),
    sampleOverhead('cpu', 0.01, 0.03, { arm: 'eBPF L3/L4', over: 'no policy' }),
    sampleOverhead('p50', 0.0101, 0.002, { arm: 'routed', over: 'no policy' }),
  ],
})
const text = (lines: readonly string[]): string => `\n${lines.join('\n').replaceAll('\u00a0', ' ')}`

test('each way of enforcing has a row: its cost, that it was tried, and what it dropped', () => {
  expect(text(policyTable(sampleRecord([comparison]), 150, plain))).toMatchInlineSnapshot(`
    "
     cilium › an L3/L4 policy   p50 against no policy (lab)   cpu                     eBPF programs   rules   enforced
     no policy (lab)            reference                                                   0.42 µs       –   –
     eBPF L3/L4 (lab)           +0.3 % [0.0, +0.6] pass       +1.0 % [−2.0, +4.0] ~         0.47 µs       1   eBPF: 8 flows allowed, 16 denied
     routed                     +1.0 % [+0.8, +1.2]           unresolved                          –       –   –
     · eBPF L3/L4 (lab) dropped 10 policy denied
    "
  `)
})

test('programs are shown by run and by request, with softirq time', () => {
  expect(text(kernelTable(sampleRecord([comparison]), 150, plain))).toMatchInlineSnapshot(`
    "
     kernel, per request, from blocks of their own: eBPF programs by the kernel's statistics (40 to 80 ns of each run are the statistics' own), softirq
     time of both sides' CPUs
     · cilium › an L3/L4 policy, no policy (lab): softirq 2.10 µs · from_pod 104.0 ns × 4.00
     · cilium › an L3/L4 policy, eBPF L3/L4 (lab): softirq 2.10 µs · from_pod 118.0 ns × 4.00
     · cilium › an L3/L4 policy, routed: softirq 2.10 µs
    "
  `)
})

test('nothing where there is no policy and no program', () => {
  const record = sampleRecord([sampleComparison('istio')])
  expect([...policyTable(record, 100, plain), ...kernelTable(record, 100, plain)]).toEqual([])
})
