import * as v from 'valibot'
import { sumStats } from '../envoy/admin.ts'
import type { Drop } from '../policy/enforcer.ts'
import type { RunState } from '../run-state.ts'
import type { PreparedGroup } from './apply-policies.ts'
import { ebpfEndpoints } from './endpoints.ts'
import { datapathClient } from './loader.ts'
import { nodeProxyAdmin } from './node-proxy.ts'

const directionSchema = v.object({ drops: v.record(v.string(), v.number()) })
const countersSchema = v.object({
  endpoints: v.array(v.object({ endpoint: v.number(), ingress: directionSchema, egress: directionSchema })),
  rules: v.array(v.object({ rule: v.number(), droppedPackets: v.number() })),
})

/** What a group's pods have lost since they are there, by reason, and by the rule that denied it. */
export async function policyDrops(run: RunState, { group, compiled }: PreparedGroup): Promise<Drop[]> {
  const client = await datapathClient(run)
  const { endpoints, rules } = v.parse(countersSchema, await client.request('counters', {}))
  const places = new Map(ebpfEndpoints.list(run).map(({ id, place }) => [id, place]))
  const byReason = endpoints
    .filter(({ endpoint }) => group.endpoints.includes(endpoint))
    .flatMap(({ endpoint, ingress, egress }) =>
      [ingress, egress].flatMap(({ drops }) =>
        Object.entries(drops).map(([reason, packets]) => ({
          pod: places.get(endpoint) ?? String(endpoint),
          reason,
          rule: null,
          packets,
        })),
      ),
    )
  const denying = rules.filter(({ droppedPackets }) => droppedPackets > 0)
  const described = new Map((denying.length === 0 ? [] : compiled.rules()).map((one) => [one.rule, one]))
  const byRule = denying.flatMap(({ rule, droppedPackets: packets }): Drop[] => {
    const known = described.get(rule - group.ruleOffset)
    if (known === undefined) return []
    return [
      {
        pod: 'all pods',
        reason: 'of these by rule',
        rule: `${known.policy} ${known.path}: ${known.description}`,
        packets,
      },
    ]
  })
  const denied = compiled.l7.length === 0 ? 0 : await sumStats(nodeProxyAdmin(run), String.raw`rbac\..*denied$`)
  const byProxy =
    denied === 0 ? [] : [{ pod: 'all pods', reason: "403 by the node's Envoy", rule: null, packets: denied }]
  return [...byReason, ...byRule, ...byProxy]
}
