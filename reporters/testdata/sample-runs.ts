/** INVENTED FOR TESTS: whole runs of made-up figures, see sample-record.ts. Never results. */
import type { Comparison, MeshmarkRecord } from '../../measure/record.ts'
import { sampleArm, sampleBlock, sampleComparison, sampleLatency, sampleOverhead, sampleRecord } from './sample-record.ts'

const aa = { arm: 'baseline again' }
const cilium = { arm: 'cilium' }

const control = (): Comparison =>
  sampleComparison('baseline', {
    overheads: [
      sampleOverhead('p50', 0.0003, 0.002, { ...aa, outcome: 'pass', budget: { relative: 0.01 }, claim: 'below' }),
      sampleOverhead('p90', 0.004, 0.011, aa),
      sampleOverhead('p99', -0.004, 0.034, aa),
      sampleOverhead('mean', 0.001, 0.004, aa),
      sampleOverhead('cpu', -0.0006, 0.009, aa),
    ],
  })

const withCilium = (): Comparison =>
  sampleComparison('cilium', {
    arms: [sampleArm('baseline', { latencyUs: sampleLatency(67.4) }), sampleArm('cilium', { latencyUs: sampleLatency(66.5) })],
    overheads: [
      sampleOverhead('p50', -0.0095, 0.0025, { ...cilium, outcome: 'pass', budget: { relative: 0.01 }, claim: 'below' }),
      sampleOverhead('p90', -0.004, 0.009, cilium),
      sampleOverhead('p99', 0.021, 0.041, {
        ...cilium, outcome: 'inconclusive', budget: { relative: 0.03 }, claim: 'below', secondsToDecide: 68,
      }),
      sampleOverhead('mean', -0.0005, 0.0011, cilium),
      sampleOverhead('cpu', 0.023, 0.012, cilium),
    ],
  })

const withIstio = (): Comparison =>
  sampleComparison('istio', {
    overheads: [
      sampleOverhead('p50', 6.68, 0.125, { outcome: 'pass', budget: { relative: 9 }, claim: 'below' }),
      sampleOverhead('p90', 6.71, 0.31),
      sampleOverhead('p99', 6.94, 0.8, { outcome: 'fail', budget: { relative: 5 }, claim: 'below' }),
      sampleOverhead('mean', 6.6, 0.14),
      sampleOverhead('cpu', 11.7, 0.4, { outcome: 'pass', budget: { relative: 15, atLeastUs: 20 }, claim: 'below' }),
      sampleOverhead('memory', 2.1, 0, { low: null, high: null, decisionLow: null, decisionHigh: null }),
    ],
  })

const saturate = (project: string, perS: number, overhead: number): Comparison =>
  sampleComparison(project, {
    id: `${project}-2`, test: 'HTTP throughput',
    plan: { kind: 'saturate', precision: 0.02, capMs: 20_000, blockMs: 1000, connections: 16, ratePerS: null, seed: '7f3a' },
    arms: [
      sampleArm('baseline', { latencyUs: null, throughputPerS: 31_204 }),
      sampleArm(project === 'baseline' ? 'baseline again' : project, { latencyUs: null, throughputPerS: perS }),
    ],
    overheads: [sampleOverhead('throughput', overhead, 0.012, { arm: project === 'baseline' ? 'baseline again' : project, blocks: 24 })],
  })

/** Three meshes, a pass, a fail and an inconclusive, a warning, a parity difference and a drift. */
export function threeMeshRun(): MeshmarkRecord {
  const istio = withIstio()
  istio.generator.invalidBlocks = 2
  for (const index of [1, 2]) istio.blocks.push({ ...sampleBlock(index, ['baseline', 'istio']), valid: false, note: 'fell behind' })
  istio.generator.warnings.push('the load agent waited for a CPU in 2 blocks (12 % of the block)')
  istio.parity.differences.push({ trait: 'mtls', values: { baseline: 'false', istio: 'true' }, blocking: false })
  istio.drift = { tau: 0.41, p: 0.003, perMinute: 0.021 }
  return sampleRecord(
    [
      control(), saturate('baseline', 31_150, 0.002), withCilium(), saturate('cilium', 31_377, -0.0055),
      istio, saturate('istio', 4870, 0.844),
    ],
    { reason: 'failed' },
  )
}

/** One mesh without its control: no noise floor, few samples, a blocking parity difference, interrupted. */
export function interruptedRun(): MeshmarkRecord {
  const istio = sampleComparison('istio', {
    arms: [sampleArm('baseline', { latencyUs: sampleLatency(67.1, 4200) }), sampleArm('istio', { latencyUs: sampleLatency(515, 4200) })],
    overheads: [
      sampleOverhead('p50', null, 0, {
        outcome: 'inconclusive', budget: { relative: 9 }, claim: 'below', blocks: 9, effectiveBlocks: null,
        unresolved: 'the arms differ in cpuSet: server 1 against 0-1',
      }),
      sampleOverhead('p99', null, 0, {
        blocks: 9, effectiveBlocks: null, unresolved: 'needs 10,000 samples an arm, has 4,200: about 21 s more',
      }),
    ],
    stopped: { reason: 'aborted', looksMs: [7500, 15_000, 22_500, 30_000], looksTaken: 0, measuredMs: 2800, halfWidth: null },
    drift: null,
  })
  istio.parity.differences.push({ trait: 'cpuSet', values: { baseline: '1', istio: '0-1' }, blocking: true })
  return sampleRecord([istio], {
    reason: 'interrupted', durationMs: 9100, gate: false, problems: ['baseline: no comparison: the run ended before it'],
  })
}

/** A mesh against a mesh, and a policy against none: nothing for the headline table. */
export function comparisonsWithoutBaseline(): MeshmarkRecord {
  return sampleRecord([
    sampleComparison('versus', {
      spec: 'bench/versus.bench.ts', test: 'Cilium answers sooner than Istio', reference: 'cilium',
      arms: [sampleArm('cilium'), sampleArm('istio')],
      overheads: [
        sampleOverhead('p50', -0.87, 0.004, { arm: 'cilium', over: 'istio', outcome: 'pass', claim: 'faster' }),
        sampleOverhead('mean', -0.86, 0.006, { arm: 'cilium', over: 'istio' }),
      ],
    }),
    sampleComparison('cilium', {
      spec: 'bench/policy.bench.ts', test: 'policies', reference: 'open',
      arms: [
        sampleArm('open', { mesh: 'cilium', standIn: true }), sampleArm('L3/L4 policy', { mesh: 'cilium', standIn: true }),
        sampleArm('L7 policy', { mesh: 'cilium', standIn: true, latencyUs: sampleLatency(168) }),
      ],
      overheads: [
        sampleOverhead('p50', 0.003, 0.003, { arm: 'L3/L4 policy', over: 'open', outcome: 'pass', budget: { relative: 0.03 } }),
        sampleOverhead('p50', 1.51, 0.035, { arm: 'L7 policy', over: 'open', outcome: 'pass', budget: { relative: 2 } }),
      ],
    }),
  ])
}

/** Two tests in one spec, one of them without a verdict. */
export function payloadRun(): MeshmarkRecord {
  const payload = (project: string, size: number, p50: number, relative: number): Comparison =>
    sampleComparison(project, {
      id: `${project}-${size}`, spec: 'bench/payload.bench.ts', test: `${size} KB response`,
      arms: [
        sampleArm('baseline', { latencyUs: sampleLatency(p50) }),
        sampleArm(project, { latencyUs: sampleLatency(p50 * (1 + relative)) }),
      ],
      overheads: [
        sampleOverhead('p50', relative, 0.06, size === 1 ? { outcome: 'pass', budget: { relative: 9 } } : {}),
      ],
    })
  return sampleRecord([payload('istio', 1, 67.1, 6.68), payload('istio', 64, 190.4, 3.91)])
}
