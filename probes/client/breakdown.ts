import type { Breakdown } from '../../measure/record.ts'
import type { Histogram, ProbeReport, ProbeTarget, RoleLatency } from './probe-report.ts'

/** Names of the report's targets along a request's way. A proxy that is not in the way is left out. */
export interface RequestPath {
  readonly client: string
  readonly clientProxy?: string
  readonly serverProxy?: string
  readonly app: string
}

type Part = Breakdown['parts'][number]

/** More unexplained than this is said to be doubtful. */
const DOUBTFUL_SHARE = 0.05
/** Percentiles of no values. */
const NOTHING: Pick<Histogram, 'p50' | 'p99'> = { p50: null, p99: null }
/** Ends of a hop whose counts differ by more did not see the same requests. */
const DOUBTFUL_COUNT = 0.01

/**
 * Where the mean of a request's time goes. Every part is measured by itself, summed over its events and divided by the client's
 * requests (so that a proxy that asks twice counts twice):
 *
 * - app: first byte received to next send, at the app.
 * - a proxy: the same there, without what it itself waited for (as a client, first send to first receive).
 * - kernel queues: data in a socket until the program has it, on both ends of every hop.
 * - wire: on each hop, from one end's send to where the other end's kernel took it up, both ways. That divides up the whole, so that nothing
 *   is unexplained; what can show that something is wrong is that a way took less than no time. It needs ends that have seen the same
 *   turns by the same clock. Else wire is the lowest round-trip time that the kernel has seen there, of its fastest packet: without the
 *   time that sending takes, and with what the other kernel did before it answered.
 * - unexplained: the rest, which may be negative.
 *
 * Percentiles are the parts' own. Kernel queues have them of one wait, wire of one way; a proxy and wire of one request in eight, where
 * the probes have followed it: a proxy's where one turn of its own upstream has ended while it worked on the request, wire's where both ends
 * of every hop are on this machine.
 *
 * @throws Error when a target is not in the report, or saw no request
 */
export function breakDown(report: ProbeReport, path: RequestPath): Breakdown {
  const client = roleOf(report, path.client, 'client')
  const app = roleOf(report, path.app, 'server')
  const proxies = [
    ...proxyOf(report, 'client proxy', path.clientProxy),
    ...proxyOf(report, 'server proxy', path.serverProxy),
  ]
  const requests = client.turn.count
  const perRequestUs = (nanoseconds: number): number => nanoseconds / requests / 1000
  const hops = [client, ...proxies.map((proxy) => proxy.upstream)].map((from, index) => ({
    from,
    to: proxies[index]?.downstream ?? app,
  }))
  const queues = hops.flatMap(({ from, to }) => [from.receiveQueue, to.receiveQueue]).filter((queue) => queue !== null)
  const wires = hops.flatMap(({ from, to }) => [from.wire ?? null, to.wire ?? null])
  const measured: Omit<Part, 'share'>[] = [
    { name: 'app', meanUs: perRequestUs(app.turn.sum), ...percentiles(app.turn) },
    ...proxies.map(({ name, downstream, upstream }) => ({
      name,
      meanUs: perRequestUs(downstream.turn.sum - upstream.turn.sum),
      ...percentiles(downstream.own ?? NOTHING),
    })),
    {
      name: 'kernel queues',
      meanUs: perRequestUs(queues.reduce((sum, queue) => sum + queue.sum, 0)),
      ...percentilesOfAll(queues),
    },
    {
      name: 'wire',
      meanUs: hops.reduce((sum, hop) => sum + (wireUs(hop) * hop.from.turn.count) / requests, 0),
      // Of fewer ways than there are they would say too little.
      ...percentilesOfAll(wires.every((wire) => wire !== null) ? wires : []),
    },
  ]
  const meanUs = perRequestUs(client.turn.sum)
  const explainedUs = measured.reduce((sum, part) => sum + part.meanUs, 0)
  const unexplained = { name: 'unexplained', meanUs: meanUs - explainedUs, p50Us: null, p99Us: null } as const
  const parts = [...measured, unexplained].map((part) => ({ ...part, share: part.meanUs / meanUs }))
  return { requests, meanUs, ...percentiles(client.turn), parts, doubts: doubts(hops, parts, report) }
}

interface Hop {
  readonly from: RoleLatency
  readonly to: RoleLatency
}

/** There and back, means; null where the ends did not see the same turns. */
function waysUs({ from, to }: Hop): readonly [number, number] | null {
  if (!from.moments || !to.moments || from.turn.count !== to.turn.count) return null
  return [(to.moments.readyNs - from.moments.sentNs) / 1000, (from.moments.readyNs - to.moments.sentNs) / 1000]
}

function wireUs(hop: Hop): number {
  return waysUs(hop)?.reduce((sum, way) => sum + way) ?? hop.from.lowestRttUs ?? 0
}

function doubts(hops: readonly Hop[], parts: readonly Part[], report: ProbeReport): string[] {
  const counts = hops
    .map(({ from, to }) => [from.turn.count, to.turn.count] as const)
    .filter(([sent, came]) => Math.abs(sent - came) > DOUBTFUL_COUNT * sent)
    .map(([sent, came]) => `one end of a hop saw ${sent} requests, the other ${came}: some of them are others'`)
  const ways = hops.flatMap((hop) => waysUs(hop) ?? []).filter((way) => way < 0)
  const unexplained = parts.at(-1)
  const share = unexplained === undefined ? 0 : Math.abs(unexplained.share)
  const lost = Object.values(report.lost).reduce((sum, count) => sum + count, 0)
  return [
    ...counts,
    ...ways.map((way) => `a way took ${way.toFixed(1)} µs: the ends of its hop did not see the same requests`),
    ...(share > DOUBTFUL_SHARE ? [`${(share * 100).toFixed(1)} % of the mean are not explained`] : []),
    ...(hops.some(({ from }) => from.receiveQueue === null || from.lowestRttUs === null)
      ? ['this kernel does not show all that the parts need']
      : []),
    ...(lost > 0 ? [`${lost} events were lost`] : []),
  ]
}

function proxyOf(report: ProbeReport, name: 'client proxy' | 'server proxy', target: string | undefined) {
  if (target === undefined) return []
  return [{ name, downstream: roleOf(report, target, 'server'), upstream: roleOf(report, target, 'client') }]
}

function roleOf(report: ProbeReport, name: string, role: 'client' | 'server'): RoleLatency {
  const target: ProbeTarget | undefined = report.targets.find((each) => each.name === name)
  const latency = target?.latency
  if (latency === undefined) {
    const known = report.targets.map((each) => each.name).join(', ')
    throw new Error(`The probes' report has no latency of ${name}; it has ${known === '' ? 'no targets' : known}.`)
  }
  if (latency[role].turn.count === 0) throw new Error(`${name} made no request as a ${role} while the probes watched.`)
  return latency[role]
}

function percentiles({ p50, p99 }: Pick<Histogram, 'p50' | 'p99'>): { p50Us: number | null; p99Us: number | null } {
  return { p50Us: p50 === null ? null : p50 / 1000, p99Us: p99 === null ? null : p99 / 1000 }
}

function percentilesOfAll(histograms: readonly Histogram[]): { p50Us: number | null; p99Us: number | null } {
  const counts = new Map<number, [low: number, high: number, count: number]>()
  for (const [low, high, count] of histograms.flatMap((histogram) => histogram.buckets))
    counts.set(low, [low, high, (counts.get(low)?.[2] ?? 0) + count])
  const buckets = [...counts.values()].toSorted(([low], [other]) => low - other)
  const total = buckets.reduce((sum, [, , count]) => sum + count, 0)
  return { p50Us: quantileUs(buckets, total * 0.5), p99Us: quantileUs(buckets, total * 0.99) }
}

/** As if the values of a bucket lay evenly in it. */
function quantileUs(buckets: readonly (readonly [number, number, number])[], rank: number): number | null {
  let below = 0
  for (const [low, high, count] of buckets) {
    if (below + count >= rank) return (low + ((high - low) * (rank - below)) / count) / 1000
    below += count
  }
  return null
}
