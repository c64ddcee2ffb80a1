import { addNamespaces, listNamespaces } from '../namespaces.ts'
import { addressesOf, clientLeg } from '../leg.ts'
import { networkOf, nodeNamespace } from '../network.ts'
import { endpointId } from '../policy/endpoint-files.ts'
import { netfilterEnforcer } from '../policy/netfilter/enforcer.ts'
import { netfilterState } from '../policy/netfilter/state.ts'
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
    up: (run) => upOnce(run, enforcement),
    publish: (run, service) => addService(run.runId, network, service),
    withdraw: (run, service) => removeService(run.runId, network, service),
    enforcer: netfilterEnforcer(enforcement),
    async attach(run, { leg, number, workload }) {
      const id = endpointId(number)
      const { endpoints } = netfilterState(enforcement)
      endpoints.write(run, {
        id,
        place: leg.pod.place,
        workload: workload.name,
        labels: workload.labels,
        addresses: addressesOf(leg),
        ports: workload.ports,
      })
      return {
        proxies: [],
        watched: [],
        traits: { 'proxy workers': 0, mTLS: 'off', 'policy enforcement': enforcement },
        detach: () => endpoints.remove(run, id),
      }
    },
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
async function upOnce(run: RunState, enforcement: Enforcement): Promise<void> {
  const key = `${run.runId}/${enforcement}`
  let starting = started.get(key)
  if (starting === undefined) {
    starting = up(run, enforcement)
    started.set(key, starting)
  }
  await starting
}

async function up(run: RunState, enforcement: Enforcement): Promise<void> {
  const network = networkOf(enforcement)
  const namespace = nodeNamespace(run.runId, network)
  if (listNamespaces(run.runId).some(({ name }) => name === namespace)) return
  await addNamespaces([namespace])
  await setUpRouter(run.runId, network)
  const legs = (['client', 'stranger'] as const).map((place) => [place, clientLeg(run.runId, network, place)] as const)
  await joinLegs(
    run.runId,
    network,
    legs.map(([, leg]) => leg),
  )
  for (const [place, leg] of legs) {
    const fixed = { place, workload: place, labels: { app: place }, addresses: addressesOf(leg), ports: [] }
    netfilterState(enforcement).endpoints.write(run, { id: endpointId(place), ...fixed })
  }
}
