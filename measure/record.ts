/**
 * The record: the JSON of a run, the one source of everything that is ever printed.
 * Names with a unit say so (`Us` microseconds, `Ms` milliseconds, `Bytes`); shares and overheads are fractions (0.03 is 3 %).
 */
import * as v from 'valibot'

/** Value of the record's `schema` field; a breaking change of shape gives it a new number. */
export const RECORD_SCHEMA = 'meshmark/record/1'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const finite = v.pipe(v.number(), v.finite())
const orNull = <T extends v.GenericSchema>(schema: T): v.NullableSchema<T, undefined> => v.nullable(schema)

export const metricSchema = v.picklist(['p50', 'p90', 'p95', 'p99', 'p99.9', 'mean', 'throughput', 'cpu', 'memory'])
/** What an overhead is of. Latency metrics, `throughput` (requests/s), `cpu` (CPU-µs per request), `memory` (bytes). */
export type Metric = v.InferOutput<typeof metricSchema>

/** Its differences are µs. */
export const isTime = (metric: Metric): boolean => metric !== 'throughput' && metric !== 'memory'

export const outcomeSchema = v.picklist(['pass', 'fail', 'inconclusive'])
export type Outcome = v.InferOutput<typeof outcomeSchema>

export const budgetSchema = v.object({
  /** Fraction: 0.03 is 3 %. */
  relative: finite,
  /** Absolute floor in µs: an overhead must be dearer than both to fail. */
  atLeastUs: v.optional(finite),
})
export type Budget = v.InferOutput<typeof budgetSchema>

export const componentSchema = v.picklist(['app', 'sidecar', 'shared proxy', 'control plane', 'kernel'])
export type Component = v.InferOutput<typeof componentSchema>

export const componentUsageSchema = v.object({
  component: componentSchema,
  /** CPU-µs per request of this component, over the arm's own usage windows; null where it was not measured. */
  cpuUsPerRequest: orNull(finite),
  /** Resident memory (proportional share) at the end of the measuring; null where it was not measured. */
  memoryBytes: orNull(finite),
  /** Processes counted. */
  processes: count,
})
export type ComponentUsage = v.InferOutput<typeof componentUsageSchema>

export const kernelUseSchema = v.object({
  /** Requests in the windows that this was read in. */
  requests: count,
  /** eBPF programs of the path, by the kernel's statistics: the figures include the statistics' own two clock reads, 40 to 80 ns a run. */
  programs: v.array(v.object({ program: v.string(), nsPerRun: finite, runsPerRequest: finite })),
  programsUsPerRequest: finite,
  /** Softirq time of both sides' CPUs, whoever caused it; it is also in the CPU of the processes that it interrupted. */
  softirqUsPerRequest: finite,
})
export type KernelUse = v.InferOutput<typeof kernelUseSchema>

export const armPolicySchema = v.object({
  /** File of the policies, as the spec named it; the name of a policy that stands in the spec itself. */
  file: v.string(),
  /** `eBPF`, `eBPF + Envoy`, `iptables-stateful`, … */
  enforcedBy: v.string(),
  /** Of the policies: each peer with each port. */
  rules: count,
  appliedMs: finite,
  /** Flows that were tried before anything was measured, and went as the policy says. */
  verified: v.object({ allowed: count, denied: count }),
  /** What was dropped or denied from then until the measuring ended. */
  drops: v.array(v.object({ pod: v.string(), reason: v.string(), rule: orNull(v.string()), packets: count })),
})
export type ArmPolicy = v.InferOutput<typeof armPolicySchema>

export const latencySchema = v.object({
  count: count,
  min: finite,
  mean: finite,
  p50: finite,
  p75: finite,
  p90: finite,
  p95: finite,
  /** null under 10,000 samples. */
  p99: orNull(finite),
  /** null under 100,000 samples. */
  'p99.9': orNull(finite),
  max: finite,
})
/** Pooled latencies of one arm, µs. */
export type LatencyUs = v.InferOutput<typeof latencySchema>

export const armSchema = v.object({
  name: v.string(),
  mesh: v.string(),
  /** The mesh is a lab stand-in: renderers add `(lab)` and the caption says so. */
  standIn: v.boolean(),
  workload: v.string(),
  protocol: v.string(),
  request: v.object({
    method: v.string(),
    path: v.string(),
    bodyBytes: count,
    responseBytes: count,
    /** `per-request`: a new connection for every request. */
    connection: v.picklist(['keep-alive', 'per-request']),
  }),
  /** What parity compares: anything that differs between arms is printed. */
  traits: v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])),
  /** Proxies beside the pods of this arm's path, client side included. */
  sidecars: count,
  latencyUs: orNull(latencySchema),
  /** Service time (from the real send), `rate` plan only: what a closed loop would have seen. */
  serviceTimeUs: orNull(latencySchema),
  /** Median over the `saturate` windows; null for other plans. */
  throughputPerS: orNull(finite),
  /** All samples, ns, HDR V2 compressed base64; null where the plan takes no latencies. */
  histogram: orNull(v.string()),
  usage: v.array(componentUsageSchema),
  /** What the kernel spends on this path, from blocks of their own; null where no arm of the comparison has eBPF programs. */
  kernel: orNull(kernelUseSchema),
  /** The policy that the workload is under; null: none. */
  policy: orNull(armPolicySchema),
})
export type Arm = v.InferOutput<typeof armSchema>

export const blockArmSchema = v.object({
  arm: v.string(),
  /** Which of the arm's pods served this block, from 0. */
  pod: count,
  samples: count,
  errors: count,
  medianUs: orNull(finite),
  meanUs: orNull(finite),
  p90Us: orNull(finite),
  p99Us: orNull(finite),
  throughputPerS: orNull(finite),
  /** CPU-ns by component in this arm's usage window of the block. */
  cpuNs: v.record(componentSchema, finite),
  /** Requests in that window. */
  cpuRequests: count,
  histogram: orNull(v.string()),
})

export const blockPairSchema = v.object({
  arm: v.string(),
  over: v.string(),
  /** Median over the block's rounds of ln(arm / over). */
  medianLogRatio: finite,
  /** Median over the block's rounds of arm − over, µs. */
  medianDifferenceUs: finite,
})

export const blockSchema = v.object({
  index: count,
  startMs: finite,
  durationMs: finite,
  rounds: count,
  /** Order in which the arms' connections were opened. */
  opened: v.array(v.string()),
  valid: v.boolean(),
  /** Why it is not valid, or what is known of an outlier. */
  note: v.optional(v.string()),
  arms: v.array(blockArmSchema),
  pairs: v.array(blockPairSchema),
  generator: v.object({
    /** Share of one CPU that the load agent used. */
    cpuShare: finite,
    /** CPU-µs of the agent per request. */
    cpuUsPerRequest: finite,
    /** Share of the block that the agent waited for a CPU that another process had. */
    runQueueWaitShare: finite,
    eventLoopDelayMaxUs: finite,
    /** `rate` only. */
    wantedPerS: orNull(finite),
    achievedPerS: orNull(finite),
    pacingErrorP99Us: orNull(finite),
  }),
})
export type Block = v.InferOutput<typeof blockSchema>

export const overheadSchema = v.object({
  arm: v.string(),
  over: v.string(),
  of: metricSchema,
  /** Point estimate, fraction, positive is dearer; null where nothing can be said (`unresolved` says why). */
  relative: orNull(finite),
  /** 95 % interval. */
  low: orNull(finite),
  high: orNull(finite),
  /** One-sided 99 % bounds with the error spent over the looks: what outcomes are decided by. */
  decisionLow: orNull(finite),
  decisionHigh: orNull(finite),
  /** Absolute change: µs for latency and cpu (for throughput requests/s, for memory bytes); null where there is none. */
  differenceUs: orNull(finite),
  differenceLowUs: orNull(finite),
  differenceHighUs: orNull(finite),
  differenceDecisionLowUs: orNull(finite),
  differenceDecisionHighUs: orNull(finite),
  /** Valid blocks it rests on, and how many independent ones they are worth. */
  blocks: count,
  /** Pods of each arm that the blocks were spread over: the interval allows for how much they differ. */
  pods: count,
  effectiveBlocks: orNull(finite),
  /** Share of the variance that is the pods', which more time does not reduce; null where it was not estimated. */
  podShare: orNull(finite),
  outcome: orNull(outcomeSchema),
  budget: orNull(budgetSchema),
  /** `below`: an overhead budget. `faster`: must be cheaper than the other arm. */
  claim: v.optional(v.picklist(['below', 'faster'])),
  /** Why no estimate or no verdict can be given. */
  unresolved: orNull(v.string()),
  /** Measuring time that would decide an `inconclusive`, s; null when more time would not. */
  secondsToDecide: orNull(finite),
})
export type Overhead = v.InferOutput<typeof overheadSchema>

export const planSchema = v.object({
  kind: v.picklist(['paired', 'rate', 'saturate']),
  /** Half-width of the 95 % interval that ends the measuring, fraction. */
  precision: finite,
  capMs: finite,
  blockMs: finite,
  connections: count,
  /** `rate` only. */
  ratePerS: orNull(finite),
  seed: v.string(),
})

export const probeKindSchema = v.picklist(['latency', 'drops', 'connections'])
export const partSchema = v.picklist(['app', 'client proxy', 'server proxy', 'kernel queues', 'wire', 'unexplained'])
/** Where a request's time goes. */
export type Part = v.InferOutput<typeof partSchema>

export const breakdownSchema = v.object({
  /** As the probes counted them at the client. */
  requests: count,
  /** The client's wait. */
  meanUs: finite,
  p50Us: orNull(finite),
  p99Us: orNull(finite),
  /** Their means add up to the whole's; `unexplained` is what the others leave and may be negative. */
  parts: v.array(
    v.object({
      name: partSchema,
      meanUs: finite,
      /** Of the whole's mean, fraction. */
      share: finite,
      /** The part's own: percentiles do not add up. Of kernel queues they are of one wait, of wire of one way. null where no single requests were followed. */
      p50Us: orNull(finite),
      p99Us: orNull(finite),
    }),
  ),
  /** What makes it doubtful, in sentences. */
  doubts: v.array(v.string()),
})
export type Breakdown = v.InferOutput<typeof breakdownSchema>

export const dropClassSchema = v.picklist(['loss', 'refused', 'policy', 'teardown', 'unknown'])
export type DropClass = v.InferOutput<typeof dropClassSchema>

export const dropsSchema = v.object({
  total: count,
  byClass: v.object({ loss: count, refused: count, policy: count, teardown: count, unknown: count }),
  reasons: v.array(
    v.object({ target: v.string(), class: dropClassSchema, reason: v.string(), location: v.string(), count }),
  ),
})
/** Packets that were dropped at the targets of the probes. */
export type Drops = v.InferOutput<typeof dropsSchema>

export const explanationSchema = v.object({
  arm: v.string(),
  probes: v.array(probeKindSchema),
  /** `apart`: in windows of their own, not while the overheads were measured. `throughout`: then as well. */
  attached: v.picklist(['apart', 'throughout']),
  /** Sent in these windows, and their mean by the load agent's clock, µs. */
  requests: count,
  meanUs: finite,
  /** null without the latency probe. */
  breakdown: orNull(breakdownSchema),
  drops: orNull(dropsSchema),
  /** `throughout` only: while the overheads were measured, on the paths of all watched arms together. */
  meanwhile: v.optional(v.object({ drops: orNull(dropsSchema), lost: count })),
  /** Of the client's own connections. */
  connections: orNull(
    v.object({
      opened: count,
      failed: count,
      failures: v.array(v.object({ cause: v.string(), count })),
      requests: count,
      /** Share of requests that were not the first on their connection, fraction; null without requests. */
      reuseRate: orNull(finite),
      connectMeanUs: orNull(finite),
      tlsMeanUs: orNull(finite),
      retransmits: orNull(count),
    }),
  ),
  /** The probes' own: 40 to 80 ns of every run are the kernel's statistics'. */
  cost: v.object({ nsPerRequest: orNull(finite), cpuShare: orNull(finite), mapBytes: count }),
  /** Events that could not be counted; all figures are complete where this is 0. */
  lost: count,
  warnings: v.array(v.string()),
  /** All that was seen, histograms included: a document of its own schema (probe.schema.json). */
  report: v.looseObject({ schema: v.literal('meshmark/probe/1') }),
})
/** What probes saw of one arm. */
export type Explanation = v.InferOutput<typeof explanationSchema>

export const comparisonSchema = v.object({
  id: v.string(),
  /** The project's own name (`istio`), without Vitest's suffix. */
  project: v.string(),
  /** Spec file, relative to the root. */
  spec: v.string(),
  test: v.string(),
  retry: count,
  startedAt: v.string(),
  plan: planSchema,
  /** The first arm. */
  reference: v.string(),
  arms: v.array(armSchema),
  blocks: v.array(blockSchema),
  overheads: v.array(overheadSchema),
  explanations: v.array(explanationSchema),
  parity: v.object({
    /** Traits that differ between the arms. `blocking` ones leave every overhead unresolved. */
    differences: v.array(
      v.object({ trait: v.string(), values: v.record(v.string(), v.string()), blocking: v.boolean() }),
    ),
  }),
  stopped: v.object({
    reason: v.picklist(['precision', 'cap', 'aborted']),
    /** Looks fixed beforehand, ms from the start of measuring. */
    looksMs: v.array(finite),
    looksTaken: count,
    measuredMs: finite,
    /** Half-width of the 95 % interval at the end, the widest over the arms, fraction. */
    halfWidth: orNull(finite),
  }),
  generator: v.object({
    invalidBlocks: count,
    cpuUsPerRequest: finite,
    cpuShare: finite,
    /** The agent had its CPU to itself and never slept while it waited: its CPU then says nothing of what a request takes. */
    polling: v.optional(v.boolean()),
    eventLoopDelayMaxUs: finite,
    agentMemoryBytes: finite,
    warnings: v.array(v.string()),
  }),
  /** Drift of the reference arm's block medians (Mann–Kendall). */
  drift: orNull(v.object({ tau: finite, p: finite, perMinute: finite })),
})
export type Comparison = v.InferOutput<typeof comparisonSchema>

export const meshSchema = v.object({
  name: v.string(),
  standIn: v.boolean(),
  dataPlane: v.string(),
  controlPlane: v.string(),
  mtls: v.boolean(),
  notes: v.array(v.string()),
})

export const environmentSchema = v.object({
  kind: v.picklist(['lab', 'kubernetes']),
  kernel: v.string(),
  os: v.string(),
  arch: v.string(),
  cpuModel: v.string(),
  cpus: count,
  cpuSets: v.object({ client: v.string(), server: v.string() }),
  memoryBytes: finite,
  node: v.string(),
  envoy: orNull(v.string()),
  meshes: v.array(meshSchema),
})
export type EnvironmentDescription = v.InferOutput<typeof environmentSchema>

export const chartSchema = v.object({
  title: v.string(),
  /** What the points differ in. */
  x: v.literal('rules'),
  /** Overhead over the point with the fewest rules of the same comparison. */
  y: metricSchema,
  series: v.array(
    v.object({
      /** `eBPF`, `iptables-stateful`, … */
      name: v.string(),
      standIn: v.boolean(),
      points: v.array(
        v.object({
          x: count,
          relative: orNull(finite),
          low: orNull(finite),
          high: orNull(finite),
          valueUs: orNull(finite),
        }),
      ),
    }),
  ),
})
/** How a cost grows, over the comparisons of one spec. */
export type Chart = v.InferOutput<typeof chartSchema>

export const recordSchema = v.object({
  schema: v.literal(RECORD_SCHEMA),
  run: v.object({
    id: v.string(),
    startedAt: v.string(),
    durationMs: finite,
    seed: v.string(),
    meshmark: v.string(),
    vitest: v.string(),
    /** Inconclusive outcomes fail the run. */
    gate: v.boolean(),
    reason: v.picklist(['passed', 'failed', 'interrupted']),
    /** Failures that no comparison stands for: a project without samples, a mesh that didn't come up. */
    problems: v.array(v.string()),
  }),
  environment: orNull(environmentSchema),
  comparisons: v.array(comparisonSchema),
  charts: v.array(chartSchema),
})
export type MeshmarkRecord = v.InferOutput<typeof recordSchema>

/**
 * Reads a record.
 * @throws Error that names the first field that does not fit.
 */
export function parseRecord(input: unknown): MeshmarkRecord {
  const result = v.safeParse(recordSchema, input)
  if (result.success) return result.output
  const issue = result.issues[0]
  throw new Error(`Not a ${RECORD_SCHEMA}: ${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`)
}
