/**
 * INVENTED FOR TESTS. Builds records whose figures were made up to exercise the renderers; no machine measured them and
 * they must never be shown as results.
 */
import type {
  Arm, Block, Comparison, Component, EnvironmentDescription, LatencyUs, MeshmarkRecord, Metric, Overhead,
} from '../../measure/record.ts'

export const sampleLatency = (p50: number, count = 48_000): LatencyUs => ({
  count, min: p50 * 0.8, mean: p50 * 1.06, p50, p75: p50 * 1.1, p90: p50 * 1.22, p95: p50 * 1.32,
  p99: count < 10_000 ? null : p50 * 1.95, 'p99.9': count < 100_000 ? null : p50 * 3, max: p50 * 9,
})

export function sampleArm(name: string, changes: Partial<Arm> = {}): Arm {
  const mesh = changes.mesh ?? (name === 'baseline again' ? 'baseline' : name)
  return {
    name, mesh, standIn: mesh === 'istio' || mesh === 'cilium', workload: 'http-echo', protocol: 'http/1.1',
    request: { method: 'GET', path: '/', bodyBytes: 0, responseBytes: 1024, connection: 'keep-alive' },
    traits: { replicas: 1, mtls: mesh === 'istio' }, sidecars: mesh === 'istio' ? 2 : 0,
    latencyUs: sampleLatency(mesh === 'istio' ? 515 : 67.1), serviceTimeUs: null, throughputPerS: null, histogram: null,
    usage: sampleUsage(mesh), kernel: null, policy: null, ...changes,
  }
}

function sampleUsage(mesh: string): Arm['usage'] {
  const usage = (component: Component, cpuUsPerRequest: number, memoryBytes: number, processes: number): Arm['usage'] =>
    [{ component, cpuUsPerRequest, memoryBytes, processes }]
  const app = usage('app', mesh === 'istio' ? 19.2 : 18.1, 62_000_000, 1)
  if (mesh === 'istio') return [...app, ...usage('sidecar', 212, 130_000_000, 2)]
  return mesh === 'cilium' ? [...app, ...usage('shared proxy', 0.42, 11_000_000, 1)] : app
}

export function sampleOverhead(of: Metric, relative: number | null, halfWidth = 0, changes: Partial<Overhead> = {}): Overhead {
  const at = (offset: number): number | null => (relative === null ? null : relative + offset)
  const us = (offset: number): number | null =>
    relative === null || of === 'throughput' || of === 'memory' ? null : (relative + offset) * 67.1
  return {
    arm: 'istio', over: 'baseline', of, relative, low: at(-halfWidth), high: at(halfWidth),
    decisionLow: at(-halfWidth * 1.4), decisionHigh: at(halfWidth * 1.4),
    differenceUs: us(0), differenceLowUs: us(-halfWidth), differenceHighUs: us(halfWidth),
    differenceDecisionLowUs: us(-halfWidth * 1.4), differenceDecisionHighUs: us(halfWidth * 1.4),
    blocks: 48, pods: 6, effectiveBlocks: 41.3, podShare: 0.2, outcome: null, budget: null, unresolved: null, secondsToDecide: null, ...changes,
  }
}

export function sampleBlock(index: number, arms: readonly string[]): Block {
  return {
    index, startMs: index * 310, durationMs: 300, rounds: 420, opened: [...arms], valid: true,
    arms: arms.map((arm) => ({
      arm, pod: index % 6, samples: 420, errors: 0, medianUs: 67.1, meanUs: 71.2, p90Us: 80, p99Us: 130, throughputPerS: null,
      cpuNs: { app: 7_600_000 }, cpuRequests: 420, histogram: null,
    })),
    pairs: arms.slice(1).map((arm) => ({ arm, over: arms[0] ?? '', medianLogRatio: 0.01, medianDifferenceUs: 0.7 })),
    generator: {
      cpuShare: 0.6, cpuUsPerRequest: 31, runQueueWaitShare: 0.02, eventLoopDelayMaxUs: 900, wantedPerS: null,
      achievedPerS: null, pacingErrorP99Us: null,
    },
  }
}

export function sampleComparison(project: string, changes: Partial<Comparison> = {}): Comparison {
  const other = project === 'baseline' ? 'baseline again' : project
  const arms = changes.arms ?? [sampleArm('baseline'), sampleArm(other)]
  return {
    id: `${project}-1`, project, spec: 'bench/overhead.bench.ts', test: 'HTTP through the mesh', retry: 0,
    startedAt: '2026-11-20T10:00:00.000Z',
    plan: { kind: 'paired', precision: 0.005, capMs: 30_000, blockMs: 300, connections: 1, ratePerS: null, seed: '7f3a' },
    reference: 'baseline', arms, blocks: [sampleBlock(0, arms.map((arm) => arm.name))], overheads: [],
    explanations: [],
    parity: { differences: [] },
    stopped: { reason: 'precision', looksMs: [7500, 15_000, 22_500, 30_000], looksTaken: 2, measuredMs: 15_000, halfWidth: 0.004 },
    generator: {
      invalidBlocks: 0, cpuUsPerRequest: 31.4, cpuShare: 0.62, eventLoopDelayMaxUs: 1200, agentMemoryBytes: 71_000_000, warnings: [],
    },
    drift: { tau: 0.05, p: 0.62, perMinute: 0.001 }, ...changes,
  }
}

export const sampleEnvironment: EnvironmentDescription = {
  kind: 'lab', kernel: '6.18.4', os: 'Debian 13', arch: 'x64', cpuModel: 'invented CPU', cpus: 2,
  cpuSets: { client: '0', server: '1' }, memoryBytes: 8_000_000_000, node: '26.6.0', envoy: '1.40.0',
  meshes: [
    { name: 'baseline', standIn: false, dataPlane: 'none', controlPlane: 'none', mtls: false, notes: [] },
    { name: 'istio', standIn: true, dataPlane: 'Envoy beside each pod', controlPlane: 'none', mtls: true, notes: [] },
  ],
}

export const sampleRecord = (comparisons: Comparison[], run: Partial<MeshmarkRecord['run']> = {}): MeshmarkRecord => ({
  schema: 'meshmark/record/1',
  run: {
    id: 'invented', startedAt: '2026-11-20T10:00:00.000Z', durationMs: 252_000, seed: '7f3a', meshmark: '0.1.0',
    vitest: '5.1.1', gate: true, reason: 'passed', problems: [], ...run,
  },
  environment: sampleEnvironment,
  comparisons,
  charts: [],
})
