import type { FixedPod } from '../pod.ts'
import type { ExpectedFlow, PolicedPod } from './enforcer.ts'
import { matchesRequest } from './matches-request.ts'
import { verdictOf } from './oracle.ts'
import type { Policy } from './policy.ts'
import type { World } from './world.ts'

const TCP = 6

/** Where flows may come from, with the address that they have in the pods' network. */
export type FlowSources = readonly { readonly from: FixedPod; readonly address: string }[]

/**
 * What must become of flows from each source to each pod's own port, by the policies' words alone (the oracle, which shares
 * nothing with the compiler): tried before anything is measured.
 */
export function expectedFlows(
  policies: readonly Policy[],
  world: World,
  sources: FlowSources,
  pods: readonly PolicedPod[],
): ExpectedFlow[] {
  const ingress = policies.map(ingressOnly)
  return sources.flatMap(({ from, address }) =>
    pods.map((pod): ExpectedFlow => {
      const verdict = verdictOf(ingress, world, {
        source: address,
        destination: pod.address,
        protocol: TCP,
        port: pod.port,
      })
      const flow = { host: pod.address, port: pod.port }
      if (verdict.verdict !== 'http') return { from, pod: pod.place, flow, allowed: verdict.verdict === 'allow' }
      const request = { method: 'GET', path: '/', host: `${pod.address}:${pod.port}`, headers: {} }
      return {
        from,
        pod: pod.place,
        flow: { ...flow, http: { method: request.method, path: request.path } },
        allowed: verdict.ingress === undefined || verdict.ingress.some((rule) => matchesRequest(rule, request)),
      }
    }),
  )
}

/** A workload's policies are put on its own pods only: what they would say of who sends to them is not in force. */
function ingressOnly(policy: Policy): Policy {
  return {
    ...policy,
    specs: policy.specs.map((spec) => ({ ...spec, egress: { defaultDeny: false, rules: [] } })),
  }
}
