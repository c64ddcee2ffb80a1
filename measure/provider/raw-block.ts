/** A block as the statistics need it: every sample, in the worker's memory. */
import { decodeSamples, type GeneratorWatch } from '../agent/protocol.ts'
import type { Component } from '../record.ts'
import type { MemoryReading } from '../target.ts'
import type { MeasuredWithUsage, UsageWindow } from './agent-client.ts'

export interface RawArm {
  /** Which of the arm's pods served the block. */
  readonly pod: number
  readonly latencyUs: Float64Array
  readonly serviceUs: Float64Array
  readonly errors: number
  readonly throughputPerS: number | null
  /** CPU-ns by component in the arm's usage windows. */
  readonly cpuNs: Partial<Record<Component, number>>
  readonly processes: Partial<Record<Component, number>>
  readonly cpuRequests: number
  readonly memoryBytes: Partial<Record<Component, number>>
}

export interface RawBlock {
  readonly index: number
  /** From the start of measuring. */
  readonly startMs: number
  readonly durationMs: number
  readonly rounds: number
  readonly opened: readonly string[]
  /** Why the block does not count, by a rule fixed beforehand. */
  readonly invalid: string | null
  /** What the reader should know of a block that counts all the same. */
  readonly note: string | null
  readonly arms: ReadonlyMap<string, RawArm>
  readonly generator: GeneratorWatch
}

/** Nothing was measured in it, and it is counted: what blocks leave out by breaking is a selection, too. */
export function createBrokenBlock(index: number, startMs: number, durationMs: number, reason: string): RawBlock {
  return {
    index,
    startMs,
    durationMs,
    rounds: 0,
    opened: [],
    invalid: reason,
    note: null,
    arms: new Map(),
    generator: {
      cpuShare: 0,
      cpuUsPerRequest: 0,
      runQueueWaitShare: 0,
      eventLoopDelayMaxUs: 0,
      wantedPerS: null,
      achievedPerS: null,
      pacingErrorP99Us: null,
      memoryBytes: 0,
    },
  }
}

/** More errors than this share of an arm's requests, and the block measured the errors. */
const MOST_ERRORS = 0.01

export function createRawBlock(
  measured: MeasuredWithUsage,
  startMs: number,
  pods: readonly number[],
  readMemory: (arm: string) => readonly MemoryReading[],
): RawBlock {
  const arms = new Map<string, RawArm>()
  let invalid = measured.invalid
  for (const [index, arm] of measured.arms.entries()) {
    const latencyUs = decodeSamples(arm.latencyUs)
    if (arm.errors > MOST_ERRORS * (latencyUs.length + arm.errors)) {
      invalid ??= `${arm.errors} of ${latencyUs.length + arm.errors} requests to "${arm.arm}" were not served`
    }
    arms.set(arm.arm, {
      pod: pods[index] ?? 0,
      latencyUs,
      serviceUs: decodeSamples(arm.serviceUs),
      errors: arm.errors,
      throughputPerS: arm.throughputPerS,
      ...cpuOf(measured.usage.get(arm.arm) ?? []),
      cpuRequests: arm.usageRequests,
      memoryBytes: Object.fromEntries(readMemory(arm.arm).map((reading) => [reading.component, reading.bytes])),
    })
  }
  return {
    index: measured.index,
    startMs,
    durationMs: measured.durationMs,
    rounds: measured.rounds,
    opened: measured.opened,
    invalid,
    note: measured.note,
    arms,
    generator: measured.generator,
  }
}

function cpuOf(windows: readonly UsageWindow[]): Pick<RawArm, 'cpuNs' | 'processes'> {
  const cpuNs: Partial<Record<Component, number>> = {}
  const processes: Partial<Record<Component, number>> = {}
  for (const window of windows) {
    for (const end of window.end) {
      const start = window.start.find((reading) => reading.component === end.component)
      if (start === undefined) continue
      cpuNs[end.component] = (cpuNs[end.component] ?? 0) + end.cpuNs - start.cpuNs
      processes[end.component] = end.processes
    }
  }
  return { cpuNs, processes }
}

/** CPU-µs per request over all components; null where none was read. */
export function cpuUsPerRequest(arm: RawArm): number | null {
  const parts = Object.values(arm.cpuNs)
  if (parts.length === 0 || arm.cpuRequests === 0) return null
  return parts.reduce((sum, part) => sum + part, 0) / arm.cpuRequests / 1000
}

/** Bytes over all components; null where none was read. */
export function memoryBytes(arm: RawArm): number | null {
  const parts = Object.values(arm.memoryBytes)
  return parts.length === 0 ? null : parts.reduce((sum, part) => sum + part, 0)
}
