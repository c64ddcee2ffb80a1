/** Runs the blocks of a comparison until its precision or its cap is reached. Knows no budgets. */
import type { AgentArm, AgentPlan, FirstResponse } from '../agent/protocol.ts'
import type { Plan } from '../load-options.ts'
import type { Comparison, Explanation, KernelUse } from '../record.ts'
import { planLooks, shouldStop } from '../statistics/looks.ts'
import { createRandom } from '../statistics/random.ts'
import type { Target } from '../target.ts'
import { AgentClient, BlockFailure, type MeasuredWithUsage, type Opened } from './agent-client.ts'
import { measureKernel } from './measure-kernel.ts'
import { attachThroughout, measureWatched } from './measure-watched.ts'
import type { MeasuredBlocks } from './measured.ts'
import { precisionReached } from './overheads.ts'
import { assertComparable, type NamedArm, parityDifferences, targetOf } from './parity.ts'
import { assertServed, throwIfEnded, throwIfSomethingDied, throwIfUnserved } from './path-health.ts'
import { createPodRota } from './pod-rota.ts'
import { createBrokenBlock, createRawBlock, type RawBlock } from './raw-block.ts'

export interface MeasureOptions {
  readonly agentCommand: readonly string[]
  readonly seed: string
  readonly signal: AbortSignal
  /** Called between blocks, and when an arm's own window begins. */
  readonly onProgress: (state: { phase: 'warm-up' | 'measuring'; arm: string | null; measured: MeasuredBlocks }) => void
  /** Awaited before every block that counts: the place to change what all arms of the block are measured under. */
  readonly beforeBlock?: (index: number) => Promise<void>
}

export interface MeasuredRun {
  readonly blocks: MeasuredBlocks
  readonly stopped: Comparison['stopped']
  readonly responses: readonly FirstResponse[]
  readonly warnings: readonly string[]
  /** By arm; empty where no arm has eBPF programs. */
  readonly kernel: ReadonlyMap<string, KernelUse>
  /** What probes saw of the arms that a spec has them watch. */
  readonly explanations: readonly Explanation[]
  /** The agent polled while it waited. */
  readonly polling: boolean
}

const WARM_UP_MS = 1000
/** Exclusive window per arm and block for its CPU: some hundred requests. */
const USAGE_WINDOW_MS = 40
/** Shorter windows say too little: then CPU is not measured, and the record says so. */
const LEAST_USAGE_WINDOW_MS = 10
/** Blocks that a cap should hold, a few more than the statistics need. */
const BLOCKS_IN_A_CAP = 24
const MOST_FAILED_IN_A_ROW = 3

/**
 * @throws Error when arms can't be compared, an arm is not served, a process of the path ended, or the test was aborted
 */
export async function measureComparison(arms: readonly NamedArm[], options: MeasureOptions): Promise<MeasuredRun> {
  const plan = assertComparable(arms)
  const [first] = arms
  if (first === undefined) throw new Error('nothing to measure')
  options.signal.throwIfAborted()
  const rota = createPodRota(
    arms.map((arm) => arm.pods.length),
    createRandom(options.seed),
  )
  let pods: readonly number[] = rota(0)
  const serving = (name: string): Target | undefined => {
    const index = arms.findIndex((arm) => arm.name === name)
    return arms[index]?.pods[pods[index] ?? 0]
  }
  let state: MeasuredBlocks = {
    arms: arms.map((arm) => arm.name),
    plan,
    seed: options.seed,
    differences: [],
    looks: 1,
    measuredMs: 0,
    blocks: [],
  }
  let phase: 'warm-up' | 'measuring' = 'warm-up'
  await using throughout = await attachThroughout(arms)
  await using agent = new AgentClient(
    targetOf(first).runInClient(options.agentCommand),
    (arm) => serving(arm)?.readCpu() ?? [],
    (arm) => options.onProgress({ phase, arm, measured: state }),
  )
  const abort = (): void => agent.stop('the test was aborted')
  options.signal.addEventListener('abort', abort, { once: true })
  try {
    const { responses, asleep, polling } = await open(agent, arms, plan, options.seed)
    state = { ...state, differences: parityDifferences(arms, responses) }
    const blockMs = await warmUp(agent, arms, plan, rota, () =>
      options.onProgress({ phase, arm: null, measured: state }),
    )
    phase = 'measuring'
    const looksMs = planLooks(plan.capMs, blockMs)
    state = { ...state, looks: looksMs.length }
    const warnings =
      asleep === null ? [] : [`the CPUs may sleep between requests (${asleep}): latencies include their waking`]
    const blocks: RawBlock[] = []
    let looksTaken = 0
    let failedInARow = 0
    const startMs = performance.now()
    for (let index = 0; ; index++) {
      const blockStartMs = performance.now() - startMs
      options.onProgress({ phase, arm: null, measured: state })
      await options.beforeBlock?.(index)
      pods = rota(index)
      try {
        const measured = await agent.block(index, pods)
        const block = createRawBlock(measured, blockStartMs, pods, (arm) => serving(arm)?.readMemory() ?? [])
        blocks.push(block)
        await throwIfEnded(arms, index)
        throwIfUnserved(block)
        failedInARow = 0
      } catch (error) {
        if (!(error instanceof BlockFailure)) throw error
        await throwIfSomethingDied(arms, index)
        const reason = `"${error.arm}": ${error.message}`
        warnings.push(`block ${index}: ${reason}`)
        if (blocks.at(-1)?.index !== index) {
          const durationMs = performance.now() - startMs - blockStartMs
          blocks.push(createBrokenBlock(index, blockStartMs, durationMs, reason))
        }
        if (++failedInARow >= MOST_FAILED_IN_A_ROW) {
          throw new Error(
            `"${error.arm}" failed ${failedInARow} blocks in a row, the last with: ${error.message}. Nothing can be measured on a path that does not serve.`,
            { cause: error },
          )
        }
      }
      const measuredMs = performance.now() - startMs
      state = { ...state, blocks: [...blocks], measuredMs }
      const nextLook = looksMs[looksTaken] ?? plan.capMs
      const halfWidth = measuredMs >= nextLook ? precisionReached(state) : null
      const answer = shouldStop({
        looksMs,
        looksTaken,
        measuredMs,
        blocks: blocks.filter(({ invalid }) => invalid === null).length,
        halfWidth,
        precision: plan.precision,
      })
      looksTaken = answer.looksTaken
      if (answer.stop === null) continue
      assertServed(blocks)
      const kernel = await measureKernel(agent, arms, index + 1, rota)
      const explanations = await measureWatched(agent, arms, throughout, (arm) =>
        options.onProgress({ phase, arm, measured: state }),
      )
      return {
        kernel,
        explanations,
        blocks: state,
        stopped: { reason: answer.stop, looksMs, looksTaken, measuredMs, halfWidth },
        responses,
        warnings,
        polling,
      }
    }
  } catch (error) {
    options.signal.throwIfAborted()
    throw error
  } finally {
    options.signal.removeEventListener('abort', abort)
  }
}

async function open(agent: AgentClient, arms: readonly NamedArm[], plan: Plan, seed: string): Promise<Opened> {
  const agentArms: AgentArm[] = arms.map(({ name, pods, request }) => ({
    name,
    protocol: pods[0]?.protocol ?? 'http/1.1',
    pods: pods.map(({ host, port }) => ({ host, port })),
    method: request.method,
    path: request.path,
    headers: request.headers,
    bodyBase64: request.body.toString('base64'),
    connection: request.connection,
  }))
  const agentPlan: AgentPlan = {
    kind: plan.kind,
    blockMs: plan.blockMs,
    connections: plan.connections,
    ratePerS: plan.ratePerS,
    usageWindowMs: usageWindowMs(plan, arms.length),
    polling: plan.kind === 'paired' && arms.every((arm) => arm.pods.every((pod) => pod.agentAlone === true)),
    seed,
  }
  try {
    const opened = await agent.open(agentArms, agentPlan)
    const refused = opened.responses.find((response) => response.status < 200 || response.status >= 400)
    if (refused !== undefined) {
      const request = arms.find((arm) => arm.name === refused.arm)?.request
      throw new Error(
        `"${refused.arm}" answered ${refused.status} to ${request?.method} ${request?.path}: only served requests can be measured. Check the path, or what the mesh denies.`,
      )
    }
    return opened
  } catch (error) {
    if (!(error instanceof BlockFailure)) throw error
    await throwIfSomethingDied(arms, null)
    throw new Error(`"${error.arm}" can't be reached: ${error.message}`, { cause: error })
  }
}

/** CPU gets what a short cap leaves over: latency comes first. The discarded rounds take about a tenth of a block. */
function usageWindowMs(plan: Plan, arms: number): number {
  const left = (plan.capMs / BLOCKS_IN_A_CAP - 1.1 * plan.blockMs) / arms
  return left < LEAST_USAGE_WINDOW_MS ? 0 : Math.min(USAGE_WINDOW_MS, left)
}

/** Servers are cold: every pod's code is compiled before anything counts. Gives a block's length, ms. */
async function warmUp(
  agent: AgentClient,
  arms: readonly NamedArm[],
  plan: Plan,
  rota: (index: number) => readonly number[],
  onBlock: () => void,
): Promise<number> {
  const startMs = performance.now()
  let last: MeasuredWithUsage | undefined
  const leastBlocks = Math.max(...arms.map((arm) => arm.pods.length))
  for (let index = 0; index < leastBlocks || performance.now() - startMs < WARM_UP_MS; index++) {
    onBlock()
    try {
      last = await agent.block(index, rota(index), true)
      await throwIfEnded(arms, null)
    } catch (error) {
      if (!(error instanceof BlockFailure)) throw error
      await throwIfSomethingDied(arms, null)
      throw new Error(`"${error.arm}" failed while it was warmed up: ${error.message}`, { cause: error })
    }
  }
  const usageMs = plan.kind === 'paired' ? usageWindowMs(plan, arms.length) * arms.length : 0
  return (last?.durationMs ?? plan.blockMs) + usageMs
}
