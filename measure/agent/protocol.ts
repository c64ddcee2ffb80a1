/**
 * What the worker and the load agent say to each other: one JSON object a line, commands on the agent's stdin,
 * answers on its stdout. The agent measures one block per `block` command and is idle in between,
 * so that the worker's statistics never run beside a measurement.
 */
import type { Protocol } from '../target.ts'

export interface PodAddress {
  readonly host: string
  readonly port: number
}

export interface AgentArm {
  readonly name: string
  readonly protocol: Protocol
  /** One address for each pod of the arm. */
  readonly pods: readonly PodAddress[]
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly bodyBase64: string
  /** `per-request`: connect, send, read and close for every request; the time counts from before the connect. */
  readonly connection: 'keep-alive' | 'per-request'
}

export interface AgentPlan {
  readonly kind: 'paired' | 'rate' | 'saturate'
  readonly blockMs: number
  readonly connections: number
  readonly ratePerS: number | null
  /** Time per arm and block in which it alone is driven and its CPU is read, in windows of their own, ms; `rate` and `saturate` use their own windows. */
  readonly usageWindowMs: number
  /** `paired` only: no process of any arm's path shares the agent's CPU, so that it may poll while it waits. */
  readonly polling: boolean
  readonly seed: string
}

export type Command =
  | { readonly type: 'open'; readonly arms: readonly AgentArm[]; readonly plan: AgentPlan }
  /** `pods`: which pod of each arm serves this block, in the arms' order. `usageWindowMs`: another length than the plan's (`paired`). */
  | {
      readonly type: 'block'
      readonly index: number
      readonly warmUp: boolean
      readonly pods: readonly number[]
      readonly usageWindowMs?: number
    }
  /** Drives one arm alone, over fresh connections to one of its pods: for what is watched from outside. */
  | { readonly type: 'alone'; readonly arm: number; readonly pod: number; readonly windowMs: number }
  /** Answer to `edge`: the worker has read the CPU. */
  | { readonly type: 'go' }

export interface FirstResponse {
  readonly arm: string
  readonly status: number
  readonly bodyBytes: number
}

/** Samples are base64 of little-endian Float32, µs; index i of every arm belongs to the same round (`paired`). */
export interface ArmSamples {
  readonly arm: string
  readonly latencyUs: string
  /** `rate` only: from the real send. */
  readonly serviceUs: string
  readonly errors: number
  readonly throughputPerS: number | null
  /** Requests between the two edges of each of the arm's usage windows. */
  readonly usageRequests: number
}

export interface GeneratorWatch {
  readonly cpuShare: number
  readonly cpuUsPerRequest: number
  readonly runQueueWaitShare: number
  readonly eventLoopDelayMaxUs: number
  readonly wantedPerS: number | null
  readonly achievedPerS: number | null
  readonly pacingErrorP99Us: number | null
  readonly memoryBytes: number
}

export interface BlockMeasured {
  readonly type: 'block'
  readonly index: number
  /** Of a warm-up: of the blocks to come. */
  readonly durationMs: number
  readonly rounds: number
  readonly opened: readonly string[]
  readonly arms: readonly ArmSamples[]
  readonly generator: GeneratorWatch
  /** Set by a rule fixed beforehand when the generator fell behind. */
  readonly invalid: string | null
  /** What the reader should know of a block that counts all the same. */
  readonly note: string | null
}

/** What one arm was sent in a window of its own: every request, the first on its connection included. */
export interface DrivenAlone {
  readonly type: 'alone'
  readonly requests: number
  /** Of these; answered with 400 or above. */
  readonly errors: number
  /** Sum of their latencies, µs. */
  readonly latencySumUs: number
}

export type Answer =
  | {
      readonly type: 'opened'
      readonly responses: readonly FirstResponse[]
      readonly asleep: string | null
      readonly polling: boolean
    }
  | { readonly type: 'edge'; readonly arm: string; readonly edge: 'start' | 'end' }
  | BlockMeasured
  | DrivenAlone
  /** A connection or request failed in a way that ends the block. */
  | { readonly type: 'failed'; readonly arm: string; readonly message: string }

export function encodeSamples(samples: Float32Array): string {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength).toString('base64')
}

export function decodeSamples(base64: string): Float64Array {
  const bytes = Buffer.from(base64, 'base64')
  const samples = new Float64Array(Math.floor(bytes.length / 4))
  for (let i = 0; i < samples.length; i++) samples[i] = bytes.readFloatLE(i * 4)
  return samples
}
