/** The generator watches itself: its own CPU, how long it waited for a CPU, and how long its event loop was held up. */
import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

export interface SelfWatched {
  readonly elapsedMs: number
  readonly cpuShare: number
  readonly cpuUs: number
  readonly runQueueWaitShare: number
  readonly eventLoopDelayMaxUs: number
}

/** Every 20 ms: often enough to see a stall that spoils a block, too seldom to cost anything. */
const DELAY_RESOLUTION_MS = 20

/** Starts watching; the returned function stops and tells. */
export function watchSelf(): () => SelfWatched {
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
  delay.enable()
  const cpu = process.cpuUsage()
  const waited = runQueueWaitNs()
  const startMs = performance.now()
  return () => {
    const elapsedMs = performance.now() - startMs
    const used = process.cpuUsage(cpu)
    delay.disable()
    const cpuUs = used.user + used.system
    return {
      elapsedMs,
      cpuUs,
      cpuShare: cpuUs / (elapsedMs * 1000),
      runQueueWaitShare: (runQueueWaitNs() - waited) / (elapsedMs * 1e6),
      // The histogram holds the timer's interval, too: what is over it is the delay.
      eventLoopDelayMaxUs: Math.max(0, delay.max / 1000 - DELAY_RESOLUTION_MS * 1000),
    }
  }
}

/** Field 2 of /proc/PID/schedstat: ns spent waiting on a run queue (Documentation/scheduler/sched-stats.rst). */
function runQueueWaitNs(): number {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'latin1').split(' ')[1] ?? 0)
  } catch {
    return 0
  }
}
