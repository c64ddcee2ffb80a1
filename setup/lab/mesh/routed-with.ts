import { addNamespaces, listNamespaces } from '../namespaces.ts'
import { clientLeg } from '../leg.ts'
import { networkOf, nodeNamespace } from '../network.ts'
import type { Network } from '../network.ts'
import { netfilterEnforcer } from '../policy/netfilter-enforcer.ts'
import type { RunState } from '../run-state.ts'
import { addService, removeService } from '../services.ts'
import { joinLegs, setUpRouter } from '../topology.ts'
import type { MeshStandIn } from './mesh.ts'

/** Ways of enforcing a policy that people know without a mesh: each in a network of its own, routed as `baseline` is. */
export const ENFORCEMENTS = ['iptables-stateful', 'iptables-stateless', 'nftables-sets'] as const
export type Enforcement = (typeof ENFORCEMENTS)[number]

const started = new Map<string, Promise<void>>()

/** The baseline's path with netfilter rules at its node. */
export function routedWith(enforcement: Enforcement): MeshStandIn {
  const network = networkOf(enforcement)
  return {
    standIn: false,
    network: enforcement,
    servicePrefix: network.servicePrefixes[0] ?? '',
    refusesPort: () => undefined,
    up: (run) => upOnce(run, network),
    publish: (run, service) => addService(run.runId, network, service),
    withdraw: (run, service) => removeService(run.runId, network, service),
    enforcer: netfilterEnforcer(enforcement),
    attach: async () => ({
      proxies: [],
      watched: [],
      traits: { 'proxy workers': 0, mTLS: 'off', 'policy enforcement': enforcement },
    }),
    describe: () => ({
      name: 'baseline',
      standIn: false,
      dataPlane: `none: routed veth, policies by ${enforcement}`,
      controlPlane: 'none',
      mtls: false,
      notes: [],
    }),
  }
}

/** Workers come one after another: what an earlier one has made is found by its name. */
async function upOnce(run: RunState, network: Network): Promise<void> {
  const key = `${run.runId}/${network.name}`
  let starting = started.get(key)
  if (starting === undefined) {
    starting = up(run, network)
    started.set(key, starting)
  }
  await starting
}

async function up(run: RunState, network: Network): Promise<void> {
  const namespace = nodeNamespace(run.runId, network)
  if (listNamespaces(run.runId).some(({ name }) => name === namespace)) return
  await addNamespaces([namespace])
  await setUpRouter(run.runId, network)
  await joinLegs(run.runId, network, [clientLeg(run.runId, network), clientLeg(run.runId, network, 'stranger')])
}
