import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { clientLeg } from '../../leg.ts'
import { networkOf } from '../../network.ts'
import type { RunState } from '../../run-state.ts'
import { countRules } from '../count-rules.ts'
import { endpointId } from '../endpoint-files.ts'
import type { EnforcedPolicy, PolicedPod, PolicyEnforcer } from '../enforcer.ts'
import { expectedFlows } from '../expected-flows.ts'
import { living, type PolicyGroup, without } from '../policy-store.ts'
import type { Policy } from '../policy.ts'
import { readPoliciesFor } from '../read-policies.ts'
import { scoped, SCOPE_LABEL } from '../scoped.ts'
import type { Endpoint, World } from '../world.ts'
import { netfilterDrops } from './drops.ts'
import { inNode } from './in-node.ts'
import { iptablesRules } from './iptables.ts'
import { nftablesRules } from './nftables.ts'
import { netfilterState, type NetfilterWay } from './state.ts'

/** A policy as rules of the node's own packet filter, in the network of that way. The lab's networks of this kind have IPv4 only. */
export function netfilterEnforcer(way: NetfilterWay): PolicyEnforcer {
  const { groups } = netfilterState(way)
  return {
    enforce: (run, pods, file) => groups.inTurn(() => enforce(run, way, pods, file)),
    refresh: (run) =>
      groups.inTurnOnce(async () => {
        if (groups.list(run).length > 0) await putInForce(run, way, inForce(run, way))
      }),
  }
}

async function enforce(
  run: RunState,
  way: NetfilterWay,
  pods: readonly PolicedPod[],
  file: string,
): Promise<EnforcedPolicy> {
  const startMs = performance.now()
  const { groups } = netfilterState(way)
  const policies = readPoliciesFor(run.root, file, pods)
  const endpoints = pods.map(({ number }) => endpointId(number))
  const group: PolicyGroup = { id: randomBytes(4).toString('hex'), file: resolve(run.root, file), endpoints }
  groups.remember(group, policies)
  const kept = without(inForce(run, way), (id) => endpoints.includes(id))
  await putInForce(run, way, [...kept, group])
  return {
    by: way,
    rules: countRules(policies),
    appliedMs: performance.now() - startMs,
    expected: expectedFlows(policies, worldOf(run, way, []), sourcesOf(run, way), pods),
    drops: () => netfilterDrops(run, way, pods),
    remove: () =>
      groups.inTurn(() =>
        putInForce(
          run,
          way,
          inForce(run, way).filter(({ id }) => id !== group.id),
        ),
      ),
  }
}

async function putInForce(run: RunState, way: NetfilterWay, next: readonly PolicyGroup[]): Promise<void> {
  const { groups } = netfilterState(way)
  const policies = next.flatMap((group): Policy[] => groups.policiesOf(group).map((policy) => scoped(policy, group.id)))
  const world = worldOf(run, way, next)
  if (way === 'nftables-sets') await inNode(run, way, ['nft', '-f', '-'], nftablesRules(policies, world))
  else {
    const mode = way === 'iptables-stateful' ? 'stateful' : 'stateless'
    await inNode(run, way, ['iptables-restore', '-w'], iptablesRules(policies, world, mode))
  }
  groups.replace(run, next)
}

/** Those in force whose pods are still there. */
function inForce(run: RunState, way: NetfilterWay): PolicyGroup[] {
  const { groups, endpoints } = netfilterState(way)
  return living(groups.list(run), endpoints.list(run))
}

/** Who is in the network; a group's label is on its own pods. */
function worldOf(run: RunState, way: NetfilterWay, groups: readonly PolicyGroup[]): World {
  const endpoints = netfilterState(way)
    .endpoints.list(run)
    .map(({ id, place, labels, addresses, ports }): Endpoint => {
      const group = groups.find((one) => one.endpoints.includes(id))
      return {
        id,
        name: place,
        identity: id,
        labels: group === undefined ? labels : { ...labels, [SCOPE_LABEL]: group.id },
        addresses,
        ports,
      }
    })
  return { endpoints, hostAddresses: [] }
}

function sourcesOf(run: RunState, way: NetfilterWay): { from: 'client' | 'stranger'; address: string }[] {
  const network = networkOf(way)
  return (['client', 'stranger'] as const).map((from) => ({
    from,
    address: clientLeg(run.runId, network, from).address,
  }))
}
