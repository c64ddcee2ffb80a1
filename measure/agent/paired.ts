/**
 * Plan `paired`: rounds of one request to each arm in random order, on connections opened for this block alone.
 * What drifts in the machine hits both requests of a round; what sticks to a connection ends with the block.
 */
import type { ArmSender } from './arm-sender.ts'
import { isServed, type PlanContext, type RunBlock } from './plan-run.ts'
import { encodeSamples } from './protocol.ts'
import { Samples } from './samples.ts'
import { whilePolling } from './while-polling.ts'

const DISCARDED_ROUNDS = 100
const LEAST_ROUNDS = 200
/**
 * Of a pod that is warmed up: its code is compiled after some thousands of requests, more than fit into a block one after the other.
 * Without it the first blocks that counted took up to twice as long as those after them.
 */
const WARM_UP_CONNECTIONS = 8

/**
 * Windows that an arm's CPU time is split into: the arms in random order, then in the reverse one, so that what changes steadily
 * cancels, and what a neighbour does for some tens of ms hits both.
 */
const USAGE_WINDOWS = 2

interface Lane {
  readonly sender: ArmSender
  samples: Samples
  errors: number
  usageRequests: number
}

export function createPaired(context: PlanContext): RunBlock {
  const lanes: Lane[] = context.arms.map((sender) => ({ sender, samples: new Samples(), errors: 0, usageRequests: 0 }))
  const order = lanes.slice()
  const watching = context.plan.polling ? whilePolling : (work: () => Promise<void>): Promise<void> => work()

  /** One request to each arm; false when one was not served, then none of the round counts. */
  const round = async (): Promise<boolean> => {
    context.random.shuffle(order)
    const before = lanes[0]?.samples.length ?? 0
    let served = true
    for (const lane of order) {
      const timed = await lane.sender.send()
      if (isServed(timed.status)) lane.samples.push((timed.endMs - timed.startMs) * 1000)
      else {
        lane.errors++
        served = false
      }
    }
    if (!served) for (const lane of lanes) lane.samples.truncate(before)
    return served
  }

  /** As many requests as the arm takes; none of them is timed. */
  const rush = async ({ sender }: Lane, lengthMs: number): Promise<void> => {
    await sender.open(WARM_UP_CONNECTIONS)
    const endMs = performance.now() + lengthMs
    await Promise.all(
      Array.from({ length: WARM_UP_CONNECTIONS }, async (_, connection) => {
        while (performance.now() < endMs) await sender.sendOn(connection)
      }),
    )
  }

  const usageWindow = async (lane: Lane, windowMs: number): Promise<void> => {
    await context.edge(lane.sender.name, 'start')
    await watching(async () => {
      const endMs = performance.now() + windowMs / USAGE_WINDOWS
      while (performance.now() < endMs) {
        const { status } = await lane.sender.send()
        // A limit that the arm meets only when it is driven alone makes requests cheap: they are errors of the block.
        if (isServed(status)) lane.usageRequests++
        else lane.errors++
      }
    })
    await context.edge(lane.sender.name, 'end')
  }

  return async (warmUp, pods, windowMs = context.plan.usageWindowMs) => {
    context.random.shuffle(order)
    const stores = lanes.map((lane) => lane.samples)
    for (const [place, lane] of order.entries()) {
      // Not in the arms' order, nor into the memory of the block before: where an arm's bytes and samples lie made the second of
      // two equal arms dearer by 0.034 ± 0.008 µs (0.1 %) for as long as it stayed so.
      lane.sender.turnTo(pods[lanes.indexOf(lane)] ?? 0)
      lane.samples = stores[place] ?? lane.samples
      lane.samples.clear()
      lane.errors = 0
      lane.usageRequests = 0
    }
    if (warmUp) for (const lane of order.slice()) await rush(lane, context.plan.blockMs)
    const opened = order.map((lane) => lane.sender.name)
    for (const lane of order.slice()) await lane.sender.open(context.plan.connections)
    let rounds = 0
    let roundsMs = 0
    try {
      await watching(async () => {
        const beginMs = performance.now()
        for (let i = 0; i < DISCARDED_ROUNDS; i++) await round()
        for (const lane of lanes) {
          lane.samples.clear()
          lane.errors = 0
        }
        const startMs = performance.now()
        const leastMs = warmUp ? 0 : context.plan.blockMs
        while (rounds < LEAST_ROUNDS || performance.now() - startMs < leastMs) {
          await round()
          rounds++
        }
        roundsMs = performance.now() - beginMs
      })
      if (!warmUp && windowMs > 0) {
        const windows = lanes.slice()
        context.random.shuffle(windows)
        for (let i = 0; i < USAGE_WINDOWS; i++) {
          for (const lane of windows) await usageWindow(lane, windowMs)
          windows.reverse()
        }
      }
    } finally {
      for (const lane of lanes) lane.sender.close()
    }
    const roundMs = roundsMs / (DISCARDED_ROUNDS + rounds)
    return {
      rounds,
      ...(warmUp
        ? { countingMs: DISCARDED_ROUNDS * roundMs + Math.max(LEAST_ROUNDS * roundMs, context.plan.blockMs) }
        : {}),
      opened,
      requests: lanes.reduce((sum, lane) => sum + DISCARDED_ROUNDS + rounds + lane.usageRequests, 0),
      arms: lanes.map((lane) => ({
        arm: lane.sender.name,
        latencyUs: encodeSamples(lane.samples.view()),
        serviceUs: '',
        errors: lane.errors,
        throughputPerS: null,
        usageRequests: lane.usageRequests,
      })),
      wantedPerS: null,
      achievedPerS: null,
      pacingErrorP99Us: null,
      invalid: null,
      note: null,
    }
  }
}
