/** From measured blocks to the record's comparison. */
import { encodeHistogram } from '../histogram.ts'
import type { Arm, ArmPolicy, Block, Comparison, Component, ComponentUsage, Explanation, KernelUse } from '../record.ts'
import { testDrift } from '../statistics/drift.ts'
import { mean, median, quantile, sortedCopy } from '../statistics/quantile.ts'
import { summarizeLatency } from './latency-summary.ts'
import type { MeasuredBlocks } from './measured.ts'
import { metricsOf, overheadOf } from './overheads.ts'
import { type NamedArm, targetOf } from './parity.ts'
import { pairFigure } from './block-figures.ts'
import type { RawArm, RawBlock } from './raw-block.ts'
import type { FirstResponse } from '../agent/protocol.ts'

export interface ComparisonHead {
  readonly id: string
  readonly project: string
  readonly spec: string
  readonly test: string
  readonly retry: number
  readonly startedAt: string
  readonly stopped: Comparison['stopped']
  readonly warnings: readonly string[]
  readonly responses: readonly FirstResponse[]
  readonly kernel: ReadonlyMap<string, KernelUse>
  /** By arm, of those whose workload is under one. */
  readonly policies: ReadonlyMap<string, ArmPolicy>
  readonly explanations: readonly Explanation[]
  readonly polling: boolean
}

export function recordComparison(
  head: ComparisonHead,
  measured: MeasuredBlocks,
  arms: readonly NamedArm[],
): Comparison {
  const valid = measured.blocks.filter((block) => block.invalid === null)
  const reference = arms[0]?.name ?? ''
  const paired = measured.plan.kind === 'paired'
  const whole = measured.blocks.filter((block) => block.arms.size > 0)
  return {
    id: head.id,
    project: head.project,
    spec: head.spec,
    test: head.test,
    retry: head.retry,
    startedAt: head.startedAt,
    plan: { ...measured.plan, seed: measured.seed },
    reference,
    arms: arms.map((arm) => recordArm(arm, valid, head)),
    blocks: measured.blocks.map((block) => recordBlock(block, measured.arms, paired)),
    overheads: measured.arms
      .slice(1)
      .flatMap((arm) => metricsOf(measured.plan).map((of) => overheadOf(measured, arm, reference, of))),
    explanations: [...head.explanations],
    parity: { differences: [...measured.differences] },
    stopped: head.stopped,
    generator: {
      invalidBlocks: measured.blocks.length - valid.length,
      cpuUsPerRequest: average(whole, (block) => block.generator.cpuUsPerRequest),
      cpuShare: average(whole, (block) => block.generator.cpuShare),
      polling: head.polling,
      eventLoopDelayMaxUs: Math.max(0, ...measured.blocks.map((block) => block.generator.eventLoopDelayMaxUs)),
      agentMemoryBytes: Math.max(0, ...measured.blocks.map((block) => block.generator.memoryBytes)),
      warnings: [...head.warnings, ...marked(measured.blocks)],
    },
    drift: drift(valid, reference),
  }
}

function noteOf(note: string | null): { note?: string } {
  return note === null ? {} : { note }
}

/** One line for the blocks that count but are marked. */
function marked(blocks: readonly RawBlock[]): string[] {
  const notes = blocks.flatMap((block) => (block.invalid === null ? (block.note ?? []) : []))
  return notes.length === 0 ? [] : [`${notes.length} of ${blocks.length} blocks are marked: ${notes[0]}`]
}

function recordArm(arm: NamedArm, blocks: readonly RawBlock[], { responses, kernel, policies }: ComparisonHead): Arm {
  const kernelUsed = kernel.get(arm.name) ?? null
  const raw = blocks.flatMap((block) => block.arms.get(arm.name) ?? [])
  const rates = raw.flatMap((block) => block.throughputPerS ?? [])
  return {
    name: arm.name,
    mesh: targetOf(arm).mesh,
    standIn: targetOf(arm).standIn,
    workload: targetOf(arm).workload,
    protocol: targetOf(arm).protocol,
    request: {
      method: arm.request.method,
      path: arm.request.path,
      bodyBytes: arm.request.body.length,
      responseBytes: responses.find((response) => response.arm === arm.name)?.bodyBytes ?? 0,
      connection: arm.request.connection,
    },
    traits: { ...targetOf(arm).traits, pods: arm.pods.length },
    sidecars: targetOf(arm).sidecars,
    latencyUs: summarizeLatency(raw.map((block) => block.latencyUs)),
    serviceTimeUs: summarizeLatency(raw.map((block) => block.serviceUs)),
    throughputPerS: rates.length === 0 ? null : median(rates),
    histogram: encodeHistogram(raw.flatMap((block) => Array.from(block.latencyUs))),
    usage: [...usage(raw), ...programsUsage(kernelUsed)],
    kernel: kernelUsed,
    policy: policies.get(arm.name) ?? null,
  }
}

function usage(blocks: readonly RawArm[]): ComponentUsage[] {
  const components = new Set(
    blocks.flatMap((block) => [...Object.keys(block.cpuNs), ...Object.keys(block.memoryBytes)] as Component[]),
  )
  const requests = blocks.reduce((sum, block) => sum + block.cpuRequests, 0)
  const last = blocks.at(-1)
  return [...components].map((component) => ({
    component,
    cpuUsPerRequest:
      requests === 0 ? null : blocks.reduce((sum, block) => sum + (block.cpuNs[component] ?? 0), 0) / requests / 1000,
    memoryBytes: last?.memoryBytes[component] ?? null,
    processes: last?.processes[component] ?? 0,
  }))
}

/** eBPF programs run on nobody's account of their own: part of it is in the CPU of whoever they interrupted. */
function programsUsage(kernel: KernelUse | null): ComponentUsage[] {
  if (kernel === null || kernel.programs.length === 0) return []
  return [
    {
      component: 'kernel',
      cpuUsPerRequest: kernel.programsUsPerRequest,
      memoryBytes: null,
      processes: 0,
    },
  ]
}

function recordBlock(block: RawBlock, arms: readonly string[], paired: boolean): Block {
  const { memoryBytes: _ofAgent, ...generator } = block.generator
  return {
    index: block.index,
    startMs: block.startMs,
    durationMs: block.durationMs,
    rounds: block.rounds,
    opened: [...block.opened],
    valid: block.invalid === null,
    ...noteOf(block.invalid ?? block.note),
    arms: arms.flatMap((arm) => {
      const raw = block.arms.get(arm)
      return raw === undefined ? [] : [recordBlockArm(arm, raw)]
    }),
    pairs: arms.flatMap((over, index) =>
      arms.slice(index + 1).flatMap((arm) => {
        const figure = pairFigure(block, arm, over, 'p50', paired)
        return figure === null
          ? []
          : [{ arm, over, medianLogRatio: figure.logRatio, medianDifferenceUs: figure.difference }]
      }),
    ),
    generator,
  }
}

function recordBlockArm(arm: string, raw: RawArm): Block['arms'][number] {
  const sorted = sortedCopy(raw.latencyUs)
  const of = (q: number): number | null => (sorted.length === 0 ? null : quantile(sorted, q))
  return {
    arm,
    pod: raw.pod,
    samples: sorted.length,
    errors: raw.errors,
    medianUs: of(0.5),
    meanUs: sorted.length === 0 ? null : mean(sorted),
    p90Us: of(0.9),
    p99Us: of(0.99),
    throughputPerS: raw.throughputPerS,
    cpuNs: { ...raw.cpuNs },
    cpuRequests: raw.cpuRequests,
    histogram: encodeHistogram(sorted),
  }
}

/** Drift of the reference arm's median; per minute as a fraction of it. */
function drift(blocks: readonly RawBlock[], reference: string): Comparison['drift'] {
  const points = blocks.flatMap((block) => {
    const samples = block.arms.get(reference)?.latencyUs
    return samples === undefined || samples.length === 0
      ? []
      : [{ atMs: block.startMs, value: quantile(sortedCopy(samples), 0.5) }]
  })
  const tested = testDrift(points)
  if (tested === null) return null
  const level = median(points.map((point) => point.value))
  return { tau: tested.tau, p: tested.p, perMinute: tested.perMinute / level }
}

function average(blocks: readonly RawBlock[], of: (block: RawBlock) => number): number {
  return blocks.length === 0 ? 0 : mean(blocks.map(of))
}
