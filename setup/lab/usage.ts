import { readFileSync } from 'node:fs'
import type { Component } from '../../measure/record.ts'
import type { CpuReading, MemoryReading } from '../../measure/target.ts'
import { processesIn } from './namespaces.ts'
import { threadClock } from './thread-clock.ts'
import type { ThreadClock } from './thread-clock.ts'

/** What counts as one component: processes known by pid, and all others of a namespace. */
export interface ComponentSource {
  readonly component: Component
  readonly pids: readonly number[]
  /** Every process of this namespace that no other source names: the user's server may have children. */
  readonly restOf?: string
}

export interface UsageReader {
  readCpu(): readonly CpuReading[]
  readMemory(): readonly MemoryReading[]
  /** Counts another component from now on. */
  add(source: ComponentSource): void
  /** Gives up what it holds open; readings keep their last values. */
  close(): void
}

/** Namespaces are searched for new processes this often at most: readings frame windows of 40 ms. */
const RESCAN_MS = 2000

/** Reads CPU time and memory of a path's processes from /proc. One reader per workload; keep it, its readings are cumulative. */
export function usageReader(sources: readonly ComponentSource[]): UsageReader {
  const named = new Set(sources.flatMap((source) => source.pids))
  const meters = sources.map(meterOf)
  /** Processes of the machine that were looked at: a full search costs about 2 ms, one for new processes under 1. */
  const known = new Set<number>()
  let scannedAt = Number.NEGATIVE_INFINITY
  rescan()

  function rescan(): void {
    for (const { source, clocks } of meters) {
      const rest =
        source.restOf === undefined ? [] : processesIn([source.restOf], known).filter((pid) => !named.has(pid))
      for (const pid of [...source.pids, ...rest]) {
        if (!clocks.has(pid)) clocks.set(pid, threadClock(pid))
      }
    }
    scannedAt = performance.now()
  }

  return {
    readCpu() {
      if (performance.now() - scannedAt > RESCAN_MS) rescan()
      return meters.map(({ source, clocks }) => {
        let cpuNs = 0
        let processes = 0
        for (const clock of clocks.values()) {
          cpuNs += clock.readNs()
          if (clock.running) processes++
        }
        return { component: source.component, cpuNs, processes }
      })
    },
    readMemory() {
      // A number may have been given to another process since.
      known.clear()
      rescan()
      return meters.map(({ source, clocks }) => {
        const sizes = [...clocks.keys()].map(proportionalSetBytes).filter((bytes) => bytes > 0)
        return {
          component: source.component,
          bytes: sizes.reduce((sum, bytes) => sum + bytes, 0),
          processes: sizes.length,
        }
      })
    },
    add(source) {
      for (const pid of source.pids) named.add(pid)
      meters.push(meterOf(source))
      rescan()
    },
    close() {
      for (const { clocks } of meters) for (const clock of clocks.values()) clock.close()
    },
  }
}

function meterOf(source: ComponentSource): { source: ComponentSource; clocks: Map<number, ThreadClock> } {
  return { source, clocks: new Map() }
}

/** Pss of /proc/PID/smaps_rollup: pages that two proxies share count half each. 0 for a process that has ended. */
function proportionalSetBytes(pid: number): number {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
  } catch {
    return 0
  }
  const kibibytes = /^Pss:\s+(\d+) kB/m.exec(text)?.[1]
  return kibibytes === undefined ? 0 : Number(kibibytes) * 1024
}
