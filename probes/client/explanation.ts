/** From a probes' report to what the record says of one arm. */
import type { DropClass, Drops, Explanation } from '../../measure/record.ts'
import type { Driven } from '../../measure/watch.ts'
import { breakDown, type RequestPath } from './breakdown.ts'
import type { ProbeReport } from './probe-report.ts'

export interface ExplainOptions {
  readonly path: RequestPath
  readonly attached: Explanation['attached']
}

/** @throws Error when a probe that counts requests saw none: zero events are no zero */
export function explain(report: ProbeReport, driven: Driven, { path, attached }: ExplainOptions): Explanation {
  const { cost } = report
  const breakdown = report.probes.includes('latency') ? breakDown(report, path) : null
  const connections = report.probes.includes('connections') ? connectionsOf(report, path.client) : null
  const seen = breakdown?.requests ?? connections?.requests
  return {
    arm: driven.arm,
    probes: [...report.probes],
    attached,
    requests: driven.requests,
    meanUs: driven.meanUs,
    breakdown,
    drops: report.probes.includes('drops') ? dropsOf(report) : null,
    connections,
    ...(driven.meanwhile === undefined ? {} : { meanwhile: driven.meanwhile }),
    cost: { nsPerRequest: nsPerRequest(report, driven.requests), cpuShare: cost.cpuShare, mapBytes: cost.mapBytes },
    lost: lostIn(report),
    warnings: [
      ...report.warnings,
      ...(driven.errors === 0 ? [] : [`${driven.errors} of ${driven.requests} requests were not served`]),
      ...(seen === undefined || seen === driven.requests
        ? []
        : [`${driven.requests} requests were sent, the probes counted ${seen}`]),
    ],
    // Asked for before the probes end, but of a window that has ended.
    report: { ...report, partial: false },
  }
}

/** What was seen while others than one arm were driven. */
export function seenMeanwhile(report: ProbeReport): NonNullable<Explanation['meanwhile']> {
  return { drops: report.probes.includes('drops') ? dropsOf(report) : null, lost: lostIn(report) }
}

/** Of the client's requests: the report's own figure is of each hop's, of which there are three with two proxies. */
function nsPerRequest({ cost, seconds }: ProbeReport, requests: number): number | null {
  return cost.cpuShare === null || requests === 0 ? null : (cost.cpuShare * seconds * 1e9) / requests
}

function lostIn({ lost }: ProbeReport): number {
  return Object.values(lost).reduce((sum, count) => sum + count, 0)
}

function dropsOf(report: ProbeReport): Drops {
  const byClass: Record<DropClass, number> = { loss: 0, refused: 0, policy: 0, teardown: 0, unknown: 0 }
  const reasons: Drops['reasons'] = []
  let total = 0
  for (const { name, drops } of report.targets) {
    if (drops === undefined) continue
    total += drops.total
    for (const each of ['loss', 'refused', 'policy', 'teardown', 'unknown'] as const)
      byClass[each] += drops.byClass[each]
    for (const { class: dropClass, reason, location, count } of drops.reasons)
      reasons.push({ target: name, class: dropClass, reason, location, count })
  }
  return { total, byClass, reasons }
}

/** @throws Error when the client made no request */
function connectionsOf(report: ProbeReport, client: string): NonNullable<Explanation['connections']> {
  const seen = report.targets.find(({ name }) => name === client)?.connections?.client
  if (seen === undefined || seen.requests === 0) throw new Error(`${client} made no request while the probes watched.`)
  const causes = new Map<string, number>()
  for (const { cause, count } of seen.failures) causes.set(cause, (causes.get(cause) ?? 0) + count)
  return {
    opened: seen.opened,
    failed: seen.failed,
    failures: [...causes].map(([cause, count]) => ({ cause, count })),
    requests: seen.requests,
    reuseRate: seen.reuseRate,
    connectMeanUs: microseconds(seen.connect.mean),
    tlsMeanUs: microseconds(seen.tls?.mean ?? null),
    retransmits: seen.retransmits,
  }
}

function microseconds(nanoseconds: number | null): number | null {
  return nanoseconds === null ? null : nanoseconds / 1000
}
