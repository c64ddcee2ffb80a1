/**
 * What an environment gives to the measuring: somewhere to send requests, somewhere to send them from,
 * and what the arm's processes used meanwhile. The lab and Kubernetes both give this.
 */
import type { Component } from './record.ts'

/** Protocols that the design knows; the load drivers say which they speak. */
export type Protocol = 'http/1.1' | 'grpc' | 'websocket'

/** What one component of an arm's path has used since its processes started. */
export interface CpuReading {
  readonly component: Component
  readonly cpuNs: number
  readonly processes: number
}

export interface MemoryReading {
  readonly component: Component
  readonly bytes: number
  readonly processes: number
}

/** A program that runs in a pod's network, with its streams. */
export interface PodProcess {
  readonly pid: number
  readonly stdin: NodeJS.WritableStream
  readonly stdout: NodeJS.ReadableStream
  readonly stderr: NodeJS.ReadableStream
  /** Resolves when it has ended, with a sentence on how. */
  readonly ended: Promise<string>
  kill(): void
}

/** What one eBPF program of the path has run since it was loaded, by the kernel's own statistics. */
export interface ProgramReading {
  readonly program: string
  readonly runNs: number
  readonly runs: number
}

/**
 * Meter of the programs that the kernel runs for a path. Its two clock reads a run (40 to 80 ns) burden only paths that have
 * such programs: it is off in every block that decides something, and on in blocks of its own.
 */
export interface KernelMeter {
  on(): Promise<void>
  off(): Promise<void>
  read(): Promise<readonly ProgramReading[]>
}

/**
 * Where the components of a path run, each as the probes' command line names a target: `netns:/run/netns/…`, followed by `@UID` where
 * it shares the namespace with another component.
 */
export interface PathPlaces {
  readonly client: string
  readonly clientProxy?: string | undefined
  readonly serverProxy?: string | undefined
  readonly app: string
}

/** A workload that is up and can be measured. */
export interface Target {
  readonly workload: string
  readonly mesh: string
  readonly standIn: boolean
  readonly protocol: Protocol
  /** Service address, as the client pod reaches it. */
  readonly host: string
  readonly port: number
  /** Proxies beside the pods of this path, client side included. */
  readonly sidecars: number
  /** The data path's own programs in the kernel; undefined where there are none. */
  readonly kernel?: KernelMeter | undefined
  /** Where it runs, for probes; undefined: this environment can't say. */
  readonly places?: PathPlaces | undefined
  /** No process of this path runs on the load agent's CPU, which may then poll while it waits. Absent: not known, it sleeps. */
  readonly agentAlone?: boolean
  /** For parity: `cpus`, `client cpus`, `replicas`, `proxy workers`, `mTLS`, … */
  readonly traits: Readonly<Record<string, string | number | boolean>>
  /** CPU of the path's components (server pod's app, both sidecars), read now. */
  readCpu(): readonly CpuReading[]
  readMemory(): readonly MemoryReading[]
  /** A sentence on the first process of this path that has ended unasked, else undefined. */
  failure(): string | undefined
  /** Starts a program in the client pod's network, on the client's CPUs. */
  runInClient(command: readonly string[]): PodProcess
}
