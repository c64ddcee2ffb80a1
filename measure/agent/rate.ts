/**
 * Plan `rate` (open loop): arrivals on a schedule fixed beforehand, the same for every arm, one window per arm in
 * random order. Latency counts from the intended send time, so that a stall delays every request that was due in it
 * (coordinated omission: Tene, "How NOT to measure latency"; wrk2).
 */
import type { ArmSender } from './arm-sender.ts'
import { isServed, type PlanContext, type RunBlock } from './plan-run.ts'
import { type ArmSamples, encodeSamples } from './protocol.ts'
import { Samples } from './samples.ts'

/** Node's timers tick in whole ms: the last stretch before a send is polled. */
const POLL_FROM_MS = 2.5
const MOST_PACING_ERROR_US = 100
/** A window that served less than this share of what was wanted fell behind. */
const LEAST_ACHIEVED = 0.99

interface Window {
  readonly samples: ArmSamples
  readonly requests: number
  readonly achievedPerS: number
  readonly pacing: Samples
}

export function createRate(context: PlanContext): RunBlock {
  const ratePerS = context.plan.ratePerS ?? 0
  return async (warmUp, pods) => {
    for (const [index, arm] of context.arms.entries()) arm.turnTo(pods[index] ?? 0)
    const schedule = arrivals(ratePerS, context.plan.blockMs, () => context.random.next())
    const order = context.arms.slice()
    context.random.shuffle(order)
    for (const sender of order) await sender.open(context.plan.connections)
    const windows: Window[] = []
    try {
      for (const sender of order) windows.push(await runWindow(context, sender, schedule, warmUp))
    } finally {
      for (const sender of order) sender.close()
    }
    const wantedPerS = schedule.length / (context.plan.blockMs / 1000)
    const pacingErrorP99Us = Math.max(...windows.map((window) => window.pacing.quantile(0.99) ?? 0))
    const achievedPerS = Math.min(...windows.map((window) => window.achievedPerS))
    return {
      rounds: schedule.length,
      opened: order.map((sender) => sender.name),
      requests: windows.reduce((sum, window) => sum + window.requests, 0),
      arms: context.arms.flatMap((arm) => windows.filter((w) => w.samples.arm === arm.name).map((w) => w.samples)),
      wantedPerS,
      achievedPerS,
      pacingErrorP99Us,
      invalid:
        pacingErrorP99Us > MOST_PACING_ERROR_US
          ? `the generator sent late: p99 pacing error ${pacingErrorP99Us.toFixed(0)} µs (limit ${MOST_PACING_ERROR_US} µs)`
          : achievedPerS < LEAST_ACHIEVED * wantedPerS
            ? `the generator fell behind: ${achievedPerS.toFixed(0)} of ${wantedPerS.toFixed(0)} requests/s`
            : null,
    }
  }
}

/** Poisson arrivals within a window, ms from its start: constant gaps can beat with timers of what is measured. */
function arrivals(ratePerS: number, windowMs: number, next: () => number): Float64Array {
  const times: number[] = []
  for (let at = 0; ;) {
    at += (-Math.log(1 - next()) * 1000) / ratePerS
    if (at >= windowMs) break
    times.push(at)
  }
  return Float64Array.from(times)
}

async function runWindow(
  context: PlanContext,
  sender: ArmSender,
  schedule: Float64Array,
  warmUp: boolean,
): Promise<Window> {
  const latency = new Samples()
  const service = new Samples()
  const pacing = new Samples()
  const idle = Array.from({ length: context.plan.connections }, (_, index) => index)
  /** Intended times of requests that are due but have no free connection. */
  const waiting: number[] = []
  let errors = 0
  let answered = 0
  let failure: unknown
  if (!warmUp) await context.edge(sender.name, 'start')
  const startMs = performance.now()
  await new Promise<void>((resolve) => {
    let due = 0
    const finishIfDone = (): void => {
      if (failure !== undefined || (due === schedule.length && answered === due)) resolve()
    }
    const dispatch = (connection: number, intendedMs: number): void => {
      sender.sendOn(connection).then(
        (timed) => {
          answered++
          if (isServed(timed.status)) {
            latency.push((timed.endMs - startMs - intendedMs) * 1000)
            service.push((timed.endMs - timed.startMs) * 1000)
          } else errors++
          const next = waiting.shift()
          if (next === undefined) idle.push(connection)
          else dispatch(connection, next)
          finishIfDone()
        },
        (error: unknown) => {
          failure = error
          finishIfDone()
        },
      )
    }
    const tick = (): void => {
      if (failure !== undefined) return
      let nowMs = performance.now() - startMs
      for (let intended = schedule[due]; intended !== undefined && intended <= nowMs; intended = schedule[due]) {
        due++
        const connection = idle.pop()
        if (connection === undefined) waiting.push(intended)
        else {
          pacing.push((nowMs - intended) * 1000)
          dispatch(connection, intended)
        }
        nowMs = performance.now() - startMs
      }
      const next = schedule[due]
      if (next === undefined) finishIfDone()
      else if (next - nowMs > POLL_FROM_MS) setTimeout(tick, Math.floor(next - nowMs - POLL_FROM_MS / 2))
      else setImmediate(tick)
    }
    tick()
  })
  const elapsedMs = performance.now() - startMs
  if (!warmUp) await context.edge(sender.name, 'end')
  if (failure !== undefined) throw failure
  return {
    requests: answered,
    pacing,
    // Answers are waited for after the last arrival: only what goes beyond the window counts as falling behind.
    achievedPerS: answered / (Math.max(elapsedMs, context.plan.blockMs) / 1000),
    samples: {
      arm: sender.name,
      latencyUs: encodeSamples(latency.view()),
      serviceUs: encodeSamples(service.view()),
      errors,
      throughputPerS: null,
      usageRequests: answered,
    },
  }
}
