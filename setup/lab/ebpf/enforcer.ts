import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import type { Daemon } from '../daemon.ts'
import { countRules } from '../policy/count-rules.ts'
import { dropsSince } from '../policy/drops-since.ts'
import { endpointId } from '../policy/endpoint-files.ts'
import { envoyRbac } from '../policy/envoy-rbac.ts'
import type { EnforcedPolicy, PolicedPod, PolicyEnforcer } from '../policy/enforcer.ts'
import { expectedFlows } from '../policy/expected-flows.ts'
import { living, without } from '../policy/policy-store.ts'
import { readPoliciesFor } from '../policy/read-policies.ts'
import type { RunState } from '../run-state.ts'
import { applyChange, ebpfWorld, prepareChange } from './apply-policies.ts'
import type { PreparedChange } from './apply-policies.ts'
import { ebpfEndpoints } from './endpoints.ts'
import { nodeProxyWith, updateNodeProxy } from './node-proxy.ts'
import { policyDrops } from './policy-drops.ts'
import { ebpfGroups, freeRuleOffset } from './policy-groups.ts'
import type { EbpfGroup } from './policy-groups.ts'

/** The data path's maps for L3/L4, the node's Envoy for L7 rules. */
export const ebpfEnforcer: PolicyEnforcer = {
  enforce: (run, pods, file) => ebpfGroups.inTurn(() => enforce(run, pods, file)),
  refresh: (run) => ebpfGroups.inTurnOnce(() => refresh(run)),
}

async function enforce(run: RunState, pods: readonly PolicedPod[], file: string): Promise<EnforcedPolicy> {
  const startMs = performance.now()
  const policies = readPoliciesFor(run.root, file, pods)
  const endpoints = pods.map((pod) => endpointId(pod.number))
  const before = ebpfGroups.list(run)
  const kept = without(living(before, ebpfEndpoints.list(run)), (id) => endpoints.includes(id))
  const rules = policies
    .flatMap(({ specs }) => specs)
    .reduce((sum, spec) => sum + ruleCount(spec.ingress) + ruleCount(spec.egress), 0)
  const group: EbpfGroup = {
    id: randomBytes(4).toString('hex'),
    file: resolve(run.root, file),
    endpoints,
    ruleOffset: freeRuleOffset(kept, rules),
    rules,
  }
  ebpfGroups.remember(group, policies)
  const prepared = prepareChange(run, before, [...kept, group])
  const own = prepared.groups.find((one) => one.group.id === group.id)
  if (own === undefined) throw new Error(`The policies of ${file} were not compiled.`)
  const sharedProxy = await proxyFor(run, prepared)
  // Numbers of rules that are no more are given again, and the proxy counts for as long as it runs.
  const pausedMs = performance.now()
  const earlier = await policyDrops(run, own)
  const resumedMs = performance.now()
  await applyChange(run, prepared)
  ebpfGroups.replace(run, [...kept, group])
  if (prepared.l7.length === 0) await updateNodeProxy(run, envoyRbac([]))
  const hasL7 = own.compiled.l7.length > 0
  return {
    by: hasL7 ? 'eBPF + Envoy' : 'eBPF',
    rules: countRules(policies),
    appliedMs: performance.now() - startMs - (resumedMs - pausedMs),
    sharedProxy: hasL7 ? sharedProxy : undefined,
    expected: expectedFlows(policies, ebpfWorld(run), sourcesOf(run), pods),
    drops: async () => dropsSince(earlier, await policyDrops(run, own)),
    remove: () => ebpfGroups.inTurn(() => remove(run, group)),
  }
}

async function remove(run: RunState, { id }: EbpfGroup): Promise<void> {
  const before = ebpfGroups.list(run)
  const kept = living(before, ebpfEndpoints.list(run)).filter((group) => group.id !== id)
  const prepared = prepareChange(run, before, kept)
  await applyChange(run, prepared)
  ebpfGroups.replace(run, kept)
  await updateNodeProxy(run, envoyRbac(prepared.l7))
}

async function refresh(run: RunState): Promise<void> {
  const before = ebpfGroups.list(run)
  if (before.length === 0) return
  const after = living(before, ebpfEndpoints.list(run))
  const prepared = prepareChange(run, before, after)
  await proxyFor(run, prepared)
  await applyChange(run, prepared)
  ebpfGroups.replace(run, after)
  if (prepared.l7.length === 0) await updateNodeProxy(run, envoyRbac([]))
}

/** It knows the new rules before the first flow is sent there. */
async function proxyFor(run: RunState, { l7 }: PreparedChange): Promise<Daemon | undefined> {
  return l7.length > 0 ? await nodeProxyWith(run, envoyRbac(l7)) : undefined
}

function ruleCount({ rules }: { readonly rules: readonly { readonly ports: 'any' | readonly unknown[] }[] }): number {
  return rules.reduce((sum, { ports }) => sum + (ports === 'any' ? 1 : ports.length), 0)
}

function sourcesOf(run: RunState): { from: 'client' | 'stranger' | 'outside'; address: string }[] {
  const places = ['client', 'stranger', 'outside'] as const
  return places.flatMap((from) => {
    const [first] = ebpfEndpoints.list(run).find(({ id }) => id === endpointId(from))?.addresses ?? []
    // `outside` is known by the prefix behind it.
    const address = from === 'outside' ? first?.replace(/0\/\d+$/, '2') : first
    return address === undefined ? [] : [{ from, address }]
  })
}
