import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { countRules } from '../policy/count-rules.ts'
import { envoyRbac } from '../policy/envoy-rbac.ts'
import type { EnforcedPolicy, PolicedPod, PolicyEnforcer } from '../policy/enforcer.ts'
import { expectedFlows } from '../policy/expected-flows.ts'
import { readPoliciesFor } from '../policy/read-policies.ts'
import type { RunState } from '../run-state.ts'
import { applyChange, ebpfWorld, prepareChange } from './apply-policies.ts'
import { endpointId, listEndpoints } from './endpoints.ts'
import { nodeProxyWith, updateNodeProxy } from './node-proxy.ts'
import { policyDrops } from './policy-drops.ts'
import { freeRuleOffset, listGroups, rememberPolicies, removeGroup, writeGroup } from './policy-groups.ts'
import type { PolicyGroup } from './policy-groups.ts'

/** The data path's maps for L3/L4, the node's Envoy for L7 rules. */
export const ebpfEnforcer: PolicyEnforcer = {
  enforce: (run, pods, file) => inTurn(() => enforce(run, pods, file)),
}

let last: Promise<unknown> = Promise.resolve()

/** One change at a time: each applies the whole state. */
function inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
  const result = last.then(change, change)
  last = result.catch(() => undefined)
  return result
}

async function enforce(run: RunState, pods: readonly PolicedPod[], file: string): Promise<EnforcedPolicy> {
  const startMs = performance.now()
  const policies = readPoliciesFor(run.root, file, pods)
  const endpoints = pods.map((pod) => endpointId(pod.number))
  const before = listGroups(run)
  const replaced = before.filter((group) => group.endpoints.some((id) => endpoints.includes(id)))
  const kept = before.filter((group) => !replaced.includes(group))
  const rules = policies
    .flatMap(({ specs }) => specs)
    .reduce((sum, spec) => sum + ruleCount(spec.ingress) + ruleCount(spec.egress), 0)
  const group: PolicyGroup = {
    id: randomBytes(4).toString('hex'),
    file: resolve(run.root, file),
    endpoints,
    ruleOffset: freeRuleOffset(kept, rules),
    rules,
  }
  rememberPolicies(group, policies)
  const prepared = prepareChange(run, before, [...kept, group])
  // The proxy knows the new rules before the first flow is sent there.
  const sharedProxy = prepared.l7.length > 0 ? await nodeProxyWith(run, envoyRbac(prepared.l7)) : undefined
  await applyChange(run, prepared)
  for (const { id } of replaced) removeGroup(run, id)
  writeGroup(run, group)
  if (prepared.l7.length === 0) await updateNodeProxy(run, envoyRbac([]))
  const own = prepared.groups.find((one) => one.group.id === group.id)
  if (own === undefined) throw new Error(`The policies of ${file} were not compiled.`)
  const hasL7 = own.compiled.l7.length > 0
  return {
    by: hasL7 ? 'eBPF + Envoy' : 'eBPF',
    rules: countRules(policies),
    appliedMs: performance.now() - startMs,
    sharedProxy: hasL7 ? sharedProxy : undefined,
    expected: expectedFlows(policies, ebpfWorld(run), sourcesOf(run), pods),
    drops: () => policyDrops(run, own),
    remove: () => inTurn(() => remove(run, group)),
  }
}

async function remove(run: RunState, { id }: PolicyGroup): Promise<void> {
  const before = listGroups(run)
  const prepared = prepareChange(
    run,
    before,
    before.filter((group) => group.id !== id),
  )
  await applyChange(run, prepared)
  removeGroup(run, id)
  await updateNodeProxy(run, envoyRbac(prepared.l7))
}

function ruleCount({ rules }: { readonly rules: readonly { readonly ports: 'any' | readonly unknown[] }[] }): number {
  return rules.reduce((sum, { ports }) => sum + (ports === 'any' ? 1 : ports.length), 0)
}

function sourcesOf(run: RunState): { from: 'client' | 'stranger' | 'outside'; address: string }[] {
  const places = ['client', 'stranger', 'outside'] as const
  return places.flatMap((from) => {
    const [first] = listEndpoints(run).find(({ id }) => id === endpointId(from))?.addresses ?? []
    // `outside` is known by the prefix behind it.
    const address = from === 'outside' ? first?.replace(/0\/\d+$/, '2') : first
    return address === undefined ? [] : [{ from, address }]
  })
}
