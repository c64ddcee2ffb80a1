/**
 * Plan `rate` (open loop): arrivals on a schedule fixed beforehand, the same for every arm, one window per arm in
 * random order. Latency counts from the intended send time, so that a stall delays every request that was due in it
 * (coordinated omission: Tene, "How NOT to measure latency"; wrk2).
 */
import { writeFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import type { ArmSender } from './arm-sender.ts'
import { isServed, type PlanContext, type RunBlock } from './plan-run.ts'
import { type ArmSamples, encodeSamples } from './protocol.ts'
import { Samples } from './samples.ts'

/**
 * The last stretch before a send is polled, and no more than that: whoever polls keeps its CPU, and in the lab the client's
 * proxy lives on the same one. Polled for 2.5 ms, p90 through two sidecars was 3.5 to 5.1 ms at 500/s instead of 1.5 to 2.0.
 */
const POLL_MS = 0.3
/** The two wake-ups, of the alarm's thread and of the event loop, take 60 to 80 µs together; on a busy machine some take ms. */
const WAKE_AHEAD_MS = 0.2
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
  const alarm = new ArrivalAlarm()
  return async (warmUp, pods) => {
    for (const [index, arm] of context.arms.entries()) arm.turnTo(pods[index] ?? 0)
    const schedule = arrivals(ratePerS, context.plan.blockMs, () => context.random.next())
    const order = context.arms.slice()
    context.random.shuffle(order)
    const windows: Window[] = []
    for (const sender of order) {
      // Opened for its own window only: a server closes connections that stay idle through a long one (Node after 5 s).
      await sender.open(context.plan.connections)
      try {
        windows.push(await runWindow(context, alarm, sender, schedule, warmUp))
      } finally {
        sender.close()
      }
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
        achievedPerS < LEAST_ACHIEVED * wantedPerS
          ? `the generator fell behind: ${achievedPerS.toFixed(0)} of ${wantedPerS.toFixed(0)} requests/s`
          : null,
      // Marked, not dropped: it is in the latency of both arms alike, and the record has its size.
      note:
        pacingErrorP99Us > MOST_PACING_ERROR_US
          ? `sent late, p99 pacing error ${pacingErrorP99Us.toFixed(0)} µs (over ${MOST_PACING_ERROR_US} µs)`
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
  alarm: ArrivalAlarm,
  sender: ArmSender,
  schedule: Float64Array,
  warmUp: boolean,
): Promise<Window> {
  const latency = new Samples()
  const service = new Samples()
  const pacing = new Samples()
  /** First in, first out: all of them stay in use, and none is closed for idleness. */
  const idle = Array.from({ length: context.plan.connections }, (_, index) => index)
  /** Intended times of requests that are due but have no free connection. */
  const waiting: number[] = []
  let taken = 0
  let errors = 0
  let answered = 0
  let failure: unknown
  if (!warmUp) await context.edge(sender.name, 'start')
  const startMs = performance.now()
  await new Promise<void>((resolve) => {
    let due = 0
    let polling = false
    const finishIfDone = (): void => {
      if (failure !== undefined || (due === schedule.length && answered === due)) resolve()
    }
    const fail = (error: unknown): void => {
      failure ??= error
      resolve()
    }
    const dispatch = (connection: number, intendedMs: number, late: boolean): void => {
      sender.sendOn(connection).then((timed) => {
        if (failure !== undefined) return
        answered++
        if (!late) pacing.push((timed.startMs - startMs - intendedMs) * 1000)
        if (isServed(timed.status)) {
          latency.push((timed.endMs - startMs - intendedMs) * 1000)
          service.push((timed.endMs - timed.startMs) * 1000)
        } else errors++
        const next = waiting[taken]
        if (next === undefined) idle.push(connection)
        else {
          taken++
          dispatch(connection, next, true)
        }
        // Answers come in bunches: what fell due while one was read is sent before the next one is.
        sendDue()
        finishIfDone()
      }, fail)
    }
    const sendDue = (): void => {
      if (failure !== undefined) return
      let nowMs = performance.now() - startMs
      for (let intended = schedule[due]; intended !== undefined && intended <= nowMs; intended = schedule[due]) {
        due++
        const connection = idle.shift()
        if (connection === undefined) waiting.push(intended)
        else dispatch(connection, intended, false)
        nowMs = performance.now() - startMs
      }
      const next = schedule[due]
      if (polling || next === undefined || next - nowMs > POLL_MS) return
      polling = true
      setImmediate(() => {
        polling = false
        sendDue()
      })
    }
    finishIfDone()
    sendDue()
    alarm.start(schedule, startMs, sendDue, fail)
  })
  alarm.stop()
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

interface AlarmOrder {
  readonly schedule: Float64Array
  /** On the clock of `process.hrtime`, which all threads share. */
  readonly startMs: number
  readonly turn: number
  readonly pollMs: number
  readonly aheadMs: number
}

/**
 * Wakes the event loop shortly before each arrival. Node's own timers tick in whole ms, and polled that long the agent
 * takes the CPU from the proxy beside it; a thread that blocks on a futex sleeps to the µs (Atomics.wait).
 */
class ArrivalAlarm {
  readonly #turn = new Int32Array(new SharedArrayBuffer(4))
  readonly #worker: Worker
  #onWake: () => void = () => undefined
  #onEnd: (error: unknown) => void = () => undefined

  constructor() {
    sleepPrecisely()
    this.#worker = new Worker(`(${ringArrivals.toString()})()`, {
      eval: true,
      execArgv: [],
      workerData: this.#turn,
    })
    this.#worker.on('message', () => this.#onWake())
    this.#worker.on('error', (error) => this.#onEnd(error))
    this.#worker.on('exit', () => this.#onEnd(new Error("the load agent's timer thread ended")))
    this.#worker.unref()
  }

  /** Calls `onWake` before the arrivals of a window that began at `startMs` (performance.now()). */
  start(schedule: Float64Array, startMs: number, onWake: () => void, onEnd: (error: unknown) => void): void {
    this.#onWake = onWake
    this.#onEnd = onEnd
    const [seconds, nanoseconds] = process.hrtime()
    const order: AlarmOrder = {
      schedule,
      startMs: seconds * 1000 + nanoseconds / 1e6 - (performance.now() - startMs),
      turn: Atomics.load(this.#turn, 0),
      pollMs: POLL_MS,
      aheadMs: WAKE_AHEAD_MS,
    }
    this.#worker.postMessage(order, [])
  }

  stop(): void {
    this.#onWake = () => undefined
    this.#onEnd = () => undefined
    Atomics.add(this.#turn, 0, 1)
    Atomics.notify(this.#turn, 0)
  }
}

/** The kernel may wake a sleeper 50 µs late to save power (prctl(2), PR_SET_TIMERSLACK); threads inherit it. */
function sleepPrecisely(): void {
  try {
    writeFileSync('/proc/self/timerslack_ns', '1')
  } catch {
    // Not Linux, or not allowed: the pacing error will tell.
  }
}

/** The alarm's thread. It is handed over as text, because the agent is one file: nothing of the module is in scope. */
function ringArrivals(): void {
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads')
  const current = workerData as Int32Array
  parentPort?.on('message', ({ schedule, startMs, turn, pollMs, aheadMs }: AlarmOrder) => {
    let previous = -Infinity
    for (const arrival of schedule) {
      // So soon after the one before the event loop is polling anyway.
      const awake = arrival - previous <= pollMs
      previous = arrival
      if (awake) continue
      const [seconds, nanoseconds] = process.hrtime()
      const waitMs = startMs + arrival - aheadMs - (seconds * 1000 + nanoseconds / 1e6)
      if (waitMs > 0) Atomics.wait(current, 0, turn, waitMs)
      if (Atomics.load(current, 0) !== turn) return
      parentPort.postMessage(0, [])
    }
  })
}
