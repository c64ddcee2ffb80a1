/** INVENTED FOR TESTS, as sample-record.ts. */
import type { Breakdown, Explanation } from '../../measure/record.ts'

export function sampleBreakdown(meanUs: number, parts: Partial<Record<Breakdown['parts'][number]['name'], number>>): Breakdown {
  return {
    requests: 3000,
    meanUs,
    p50Us: meanUs * 0.9,
    p99Us: meanUs * 2,
    parts: Object.entries(parts).map(([name, us]) => ({
      name: name as Breakdown['parts'][number]['name'],
      meanUs: us,
      share: us / meanUs,
      p50Us: name === 'app' ? us * 0.8 : null,
      p99Us: name === 'app' ? us * 3 : null,
    })),
    doubts: [],
  }
}

export function sampleExplanation(arm: string, changes: Partial<Explanation> = {}): Explanation {
  const breakdown =
    arm === 'istio'
      ? sampleBreakdown(640, { app: 40, 'client proxy': 180, 'server proxy': 170, 'kernel queues': 180, wire: 60, unexplained: 10 })
      : sampleBreakdown(80, { app: 16, 'kernel queues': 44, wire: 21, unexplained: -1 })
  return {
    arm,
    probes: ['latency', 'drops', 'connections'],
    attached: 'apart',
    requests: 3000,
    meanUs: breakdown.meanUs + 8,
    breakdown,
    drops: { total: 0, byClass: { loss: 0, refused: 0, policy: 0, teardown: 0, unknown: 0 }, reasons: [] },
    connections: {
      opened: 8, failed: 0, failures: [], requests: 3000, reuseRate: 0.99733, connectMeanUs: 70, tlsMeanUs: null, retransmits: 0,
    },
    cost: { nsPerRequest: 1270, cpuShare: 0.01, mapBytes: 2_000_000 },
    lost: 0,
    warnings: [],
    report: { schema: 'meshmark/probe/1' },
    ...changes,
  }
}
