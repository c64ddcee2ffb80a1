/** After everything that decides: each watched arm driven alone, over all of its pods, with what watches it attached. */
import type { Explanation } from '../record.ts'
import type { AttachedWatch, Watch } from '../watch.ts'
import type { DrivenAlone } from '../agent/protocol.ts'
import { type AgentClient, BlockFailure } from './agent-client.ts'
import type { NamedArm } from './parity.ts'

/** For each arm: some thousand requests even through two proxies. */
const WATCHED_MS = 1600

/** Attached for the whole comparison, where a spec asks for that. */
export async function attachThroughout(
  arms: readonly NamedArm[],
): Promise<Map<Watch, AttachedWatch> & AsyncDisposable> {
  const attached = Object.assign(new Map<Watch, AttachedWatch>(), {
    async [Symbol.asyncDispose]() {
      for (const one of attached.values()) await one[Symbol.asyncDispose]()
    },
  })
  try {
    for (const watch of watchesOf(arms)) if (watch.throughout) attached.set(watch, await watch.attach())
  } catch (error) {
    await attached[Symbol.asyncDispose]()
    throw error
  }
  return attached
}

export async function measureWatched(
  agent: AgentClient,
  arms: readonly NamedArm[],
  throughout: ReadonlyMap<Watch, AttachedWatch>,
  onArm: (arm: string) => void,
): Promise<Explanation[]> {
  const explanations: Explanation[] = []
  for (const watch of watchesOf(arms)) {
    const already = throughout.get(watch)
    await using own = already === undefined ? await watch.attach() : undefined
    const attached = already ?? own
    if (attached === undefined) continue
    const meanwhile = await already?.meanwhile()
    for (const [index, arm] of arms.entries()) {
      if (!(arm.watches?.() ?? []).includes(watch)) continue
      onArm(arm.name)
      explanations.push(await watchArm(agent, arm, index, attached, meanwhile))
    }
  }
  return explanations
}

async function watchArm(
  agent: AgentClient,
  arm: NamedArm,
  index: number,
  attached: AttachedWatch,
  meanwhile: Explanation['meanwhile'],
): Promise<Explanation> {
  let [requests, errors, latencySumUs] = [0, 0, 0]
  await attached.begin()
  for (const pod of arm.pods.keys()) {
    const driven = await drive(agent, arm, index, pod)
    requests += driven.requests
    errors += driven.errors
    latencySumUs += driven.latencySumUs
  }
  return await attached.end({
    arm: arm.name,
    requests,
    errors,
    meanUs: latencySumUs / requests,
    ...(meanwhile === undefined ? {} : { meanwhile }),
  })
}

async function drive(agent: AgentClient, arm: NamedArm, index: number, pod: number): Promise<DrivenAlone> {
  try {
    return await agent.alone(index, pod, WATCHED_MS / arm.pods.length)
  } catch (error) {
    if (!(error instanceof BlockFailure)) throw error
    throw new Error(`"${arm.name}" failed while the probes watched it: ${error.message}`, { cause: error })
  }
}

function watchesOf(arms: readonly NamedArm[]): Set<Watch> {
  return new Set(arms.flatMap((arm) => arm.watches?.() ?? []))
}
