/**
 * One arm driven by itself, for what is watched from outside (probes). Nothing is discarded: what was sent and what was seen must be
 * equal in number.
 */
import type { ArmSender } from './arm-sender.ts'
import { isServed } from './plan-run.ts'
import type { AgentPlan, DrivenAlone } from './protocol.ts'
import { whilePolling } from './while-polling.ts'

/** As many requests at a time as the plan has connections, one with `paired`. @throws ArmFailure */
export async function driveAlone(
  sender: ArmSender,
  pod: number,
  plan: AgentPlan,
  windowMs: number,
): Promise<DrivenAlone> {
  const connections = plan.kind === 'paired' ? 1 : plan.connections
  const driven = { requests: 0, errors: 0, latencySumUs: 0 }
  sender.turnTo(pod)
  await sender.open(connections)
  const endMs = performance.now() + windowMs
  const lane = async (connection: number): Promise<void> => {
    while (performance.now() < endMs) {
      const { startMs, endMs: answeredMs, status } = await sender.sendOn(connection)
      driven.requests++
      driven.latencySumUs += (answeredMs - startMs) * 1000
      if (!isServed(status)) driven.errors++
    }
  }
  const drive = async (): Promise<void> => {
    await Promise.all(Array.from({ length: connections }, (_, connection) => lane(connection)))
  }
  try {
    await (plan.polling ? whilePolling(drive) : drive())
  } finally {
    sender.close()
  }
  return { type: 'alone', ...driven }
}
