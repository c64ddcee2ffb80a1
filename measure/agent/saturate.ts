/**
 * Plan `saturate` (closed loop at N connections): one window per arm in random order, driven by autocannon.
 * Right for requests/s; a latency at saturation says more about the queue than about the mesh.
 */
import autocannon from 'autocannon'
import { ArmFailure } from './arm-sender.ts'
import { isServed, type PlanContext, type RunBlock } from './plan-run.ts'
import { type AgentArm, type ArmSamples, encodeSamples, type PodAddress } from './protocol.ts'
import { Samples } from './samples.ts'

/** Connections are opened and filled before anything counts. */
const RAMP_MS = 100
const STOP_SEEN_MS = 20

export function createSaturate(context: PlanContext, arms: readonly AgentArm[]): RunBlock {
  return async (warmUp, pods) => {
    const order = arms.slice()
    context.random.shuffle(order)
    const measured = new Map<string, ArmSamples>()
    for (const arm of order) {
      const pod = arm.pods[pods[arms.indexOf(arm)] ?? 0]
      if (pod === undefined) throw new ArmFailure(arm.name, new Error('an arm without pods'))
      measured.set(arm.name, await runWindow(context, arm, pod, warmUp))
    }
    const samples = arms.flatMap((arm) => measured.get(arm.name) ?? [])
    return {
      rounds: 1,
      opened: order.map((arm) => arm.name),
      requests: samples.reduce((sum, arm) => sum + arm.usageRequests, 0),
      arms: samples,
      wantedPerS: null,
      achievedPerS: null,
      pacingErrorP99Us: null,
      invalid: null,
      note: null,
    }
  }
}

async function runWindow(context: PlanContext, arm: AgentArm, pod: PodAddress, warmUp: boolean): Promise<ArmSamples> {
  const latency = new Samples()
  let counting = false
  let answered = 0
  let errors = 0
  let lastError = ''
  const body = Buffer.from(arm.bodyBase64, 'base64')
  const instance = autocannon(
    {
      url: `http://${pod.host}:${pod.port}${arm.path}`,
      method: arm.method as 'GET',
      headers: {
        ...arm.headers,
        // Not autocannon's reconnectRate: with 1 it never answers (seen with autocannon 9.0.0).
        ...(arm.connection === 'per-request' ? { connection: 'close' } : {}),
      },
      connections: context.plan.connections,
      duration: 3600,
      // autocannon looks whether it was stopped once per sample.
      sampleInt: STOP_SEEN_MS,
      ...(body.length > 0 ? { body } : {}),
    },
    () => undefined,
  )
  instance.on('response', (_client, status, _bytes, responseTimeMs) => {
    if (!counting) return
    answered++
    if (isServed(status)) latency.push(responseTimeMs * 1000)
    else errors++
  })
  instance.on('reqError', (error: Error) => {
    lastError = error.message
    if (counting) errors++
  })
  try {
    await sleep(RAMP_MS)
    if (!warmUp) await context.edge(arm.name, 'start')
    counting = true
    const startMs = performance.now()
    await sleep(context.plan.blockMs)
    counting = false
    const elapsedMs = performance.now() - startMs
    if (!warmUp) await context.edge(arm.name, 'end')
    if (answered === 0) throw new ArmFailure(arm.name, lastError === '' ? 'no request was answered' : lastError)
    return {
      arm: arm.name,
      latencyUs: encodeSamples(latency.view()),
      serviceUs: '',
      errors,
      throughputPerS: (latency.length / elapsedMs) * 1000,
      usageRequests: answered,
    }
  } finally {
    await stopped(instance)
  }
}

function stopped(instance: autocannon.Instance): Promise<void> {
  return new Promise((resolve) => {
    instance.once('done', () => resolve())
    instance.stop()
  })
}

function sleep(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs))
}
