/**
 * What an open-loop generator must find, without one: the arrivals that were planned, put through a simulated queue of
 * connections to a server that takes as long, and stands still when, the real one did (as wrk2 defines latency: from the
 * intended send time). What the agent measured is not used; when its requests arrived only tells the window's start.
 */
import type { Random } from '../../measure/statistics/random.ts'
import type { PathRecord } from './delay-record.ts'

export interface Truth {
  readonly latencyMs: number[]
  readonly serviceMs: number[]
}

/** The schedules of a run's blocks in their order, warm-up included: Poisson arrivals, ms from a window's start. */
export function* plannedSchedules(random: Random, plan: { ratePerS: number; windowMs: number; arms: number }) {
  for (;;) {
    const schedule: number[] = []
    let atMs = 0
    while ((atMs += (-Math.log(1 - random.next()) / plan.ratePerS) * 1000) < plan.windowMs) schedule.push(atMs)
    // The order of the arms is drawn from the same source.
    random.shuffle(Array.from({ length: plan.arms }, (_, index) => index))
    yield schedule
  }
}

/**
 * One window. A request goes out when it is due, or when a connection is free, whichever is later; while the server
 * stands still nothing that arrives is begun.
 * @param wireMs what a request takes besides the server's own time
 */
export function simulateWindow(
  schedule: readonly number[],
  record: PathRecord,
  options: { connections: number; wireMs: number },
): Truth {
  const truth: Truth = { latencyMs: [], serviceMs: [] }
  const freeAtMs = Array.from({ length: options.connections }, () => 0)
  // The server's clock at the window's start: no request arrives before it was due.
  const startMs = Math.min(
    ...schedule.map((intendedMs, i) => (record.arrivedMs[i] ?? Number.NaN) - intendedMs - options.wireMs / 2),
  )
  for (const [index, intendedMs] of schedule.entries()) {
    const first = freeAtMs.indexOf(Math.min(...freeAtMs))
    const sentMs = Math.max(intendedMs, freeAtMs[first] ?? 0)
    const arrivesMs = sentMs + options.wireMs / 2
    const arrivalMs = startMs + arrivesMs
    const stall = record.stalls.find(({ fromMs, toMs }) => arrivalMs > fromMs && arrivalMs < toMs)
    const begunMs = stall === undefined ? arrivesMs : stall.toMs - startMs
    const tookMs = (record.answeredMs[index] ?? Number.NaN) - (record.arrivedMs[index] ?? Number.NaN)
    const seenMs = begunMs + tookMs + options.wireMs / 2
    freeAtMs[first] = seenMs
    truth.latencyMs.push(seenMs - intendedMs)
    truth.serviceMs.push(seenMs - sentMs)
  }
  return truth
}
