/**
 * What `meshmark-probe` writes (probes/probe/src/report.rs). Times are in nanoseconds unless a name says otherwise; shares are
 * fractions. `null` is "not there": a mean of nothing is no zero.
 */
import * as v from 'valibot'

/** Value of the report's `schema` field; a breaking change of shape gives it a new number. */
export const PROBE_SCHEMA = 'meshmark/probe/1'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const number = v.number()
const orNull = <T extends v.GenericSchema>(schema: T): v.NullableSchema<T, undefined> => v.nullable(schema)
const both = <T extends v.GenericSchema>(schema: T) => v.object({ client: schema, server: schema })

const histogramSchema = v.object({
  unit: v.picklist(['ns', 'requests']),
  count,
  /** Exact, as is the mean; percentiles are within a sixteenth. */
  sum: count,
  mean: orNull(number),
  p50: orNull(number),
  p90: orNull(number),
  p99: orNull(number),
  p999: orNull(number),
  lowest: orNull(count),
  highest: orNull(count),
  /** From, to (not included), how many; those that are not empty. */
  buckets: v.array(v.tuple([count, count, count])),
})
/** Values counted in the kernel, in buckets at most 1/16 as wide as where they begin. */
export type Histogram = v.InferOutput<typeof histogramSchema>

const latencySchema = v.object({
  /** Client: first send to first receive. Server: first receive to next send. */
  turn: histogramSchema,
  receiveQueue: orNull(histogramSchema),
  /** At every look: the first time that data comes or more of the same is sent, and every eighth time after that. */
  smoothedRtt: histogramSchema,
  /** With `--follow`, of one request in eight: from when the other end sent to data in the socket, one way. `null`: that is known of none. */
  wire: v.optional(orNull(histogramSchema)),
  /** The same, of a server that had one turn as a client meanwhile: its turn without that one. */
  own: v.optional(orNull(histogramSchema)),
  /** Mean over the same looks; `null`: there was none. */
  lowestRttUs: orNull(number),
  /** Means of all turns, from the beginning of the measurement: when it was sent, and since when there was what this end heard. */
  moments: v.optional(orNull(v.object({ sentNs: number, readyNs: number }))),
  /** Turns that had begun and not ended: they are in no count. `null`: nobody knows. */
  underWay: v.optional(orNull(count)),
  connectionsBefore: count,
  discarded: count,
})
export type RoleLatency = v.InferOutput<typeof latencySchema>

const failedConnectSchema = v.object({ cause: v.string(), address: v.string(), port: count, count })

const connectionsSchema = v.object({
  attempts: count,
  opened: count,
  closed: count,
  connectionsBefore: count,
  failed: count,
  failures: v.array(failedConnectSchema),
  requests: count,
  /** Requests that had no answer yet: they are in no count. `null`: nobody knows. */
  underWay: v.optional(orNull(count)),
  firstRequests: count,
  reuseRate: orNull(number),
  requestsPerConnection: histogramSchema,
  connect: histogramSchema,
  tls: orNull(histogramSchema),
  tlsUnfinished: count,
  lifetime: histogramSchema,
  retransmits: orNull(count),
  synRetransmits: orNull(count),
})

const dropClassSchema = v.picklist(['loss', 'refused', 'policy', 'teardown', 'unknown'])

const dropsSchema = v.object({
  total: count,
  byClass: v.object({ loss: count, refused: count, policy: count, teardown: count, unknown: count }),
  reasons: v.array(
    v.object({ class: dropClassSchema, reason: v.string(), location: v.string(), count, perSecond: number }),
  ),
  services: v.array(
    v.object({
      class: dropClassSchema,
      reason: v.string(),
      protocol: v.string(),
      address: v.string(),
      port: count,
      count,
      perSecond: number,
    }),
  ),
  failedConnects: v.array(failedConnectSchema),
})

const targetSchema = v.object({
  name: v.string(),
  watches: v.array(v.string()),
  latency: v.optional(both(latencySchema)),
  drops: v.optional(dropsSchema),
  connections: v.optional(both(connectionsSchema)),
})
export type ProbeTarget = v.InferOutput<typeof targetSchema>

const hookSchema = v.object({
  hook: v.string(),
  rung: orNull(v.string()),
  on: orNull(v.string()),
  program: orNull(v.string()),
  refused: v.array(
    v.object({ program: v.string(), rung: v.string(), on: v.string(), since: v.string(), reason: v.string() }),
  ),
})

const costSchema = v.object({
  counted: v.boolean(),
  programs: v.array(
    v.object({ program: v.string(), hook: v.string(), runs: count, nsPerRun: orNull(number), missed: count }),
  ),
  cpuShare: orNull(number),
  nsPerRequest: orNull(number),
  mapBytes: count,
})

export const probeReportSchema = v.object({
  schema: v.literal(PROBE_SCHEMA),
  probes: v.array(v.picklist(['latency', 'drops', 'connections'])),
  partial: v.boolean(),
  begunAt: count,
  seconds: number,
  kernel: v.string(),
  cpus: count,
  state: v.string(),
  hooks: v.array(hookSchema),
  targets: v.array(targetSchema),
  cost: costSchema,
  lost: v.object({
    missed: count,
    sockets: count,
    drops: count,
    dropServices: count,
    failedConnects: count,
    listeners: count,
  }),
  warnings: v.array(v.string()),
})
export type ProbeReport = v.InferOutput<typeof probeReportSchema>

/** The first line of control mode. */
export const probeReadySchema = v.object({
  ready: v.literal(true),
  kernel: v.string(),
  state: v.string(),
  hooks: v.array(hookSchema),
  warnings: v.array(v.string()),
})
export type ProbeReady = v.InferOutput<typeof probeReadySchema>

/** @throws Error of one line that says where it isn't a report */
export function parseProbeReport(value: unknown): ProbeReport {
  const parsed = v.safeParse(probeReportSchema, value)
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  throw new Error(`Not a ${PROBE_SCHEMA}: ${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`)
}
