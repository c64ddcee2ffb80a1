import { mkdirSync } from 'node:fs'
import { assertRunning } from '../daemon.ts'
import { datapathClient, startLoader } from '../ebpf/loader.ts'
import { ebpfEndpoints } from '../ebpf/endpoints.ts'
import { ebpfEnforcer } from '../ebpf/enforcer.ts'
import { identityOf } from '../ebpf/identities.ts'
import { kernelMeter } from '../ebpf/kernel-meter.ts'
import { setUpEbpfNetwork } from '../ebpf/network-up.ts'
import { ebpfPaths } from '../ebpf/paths.ts'
import { loaderDaemon, readEbpfState, writeEbpfState } from '../ebpf/state.ts'
import { addressesOf, type Leg } from '../leg.ts'
import { endpointId } from '../policy/endpoint-files.ts'
import type { RunState } from '../run-state.ts'
import type { MeshStandIn } from './mesh.ts'

const TCP = 6

/**
 * Stand-in for Cilium: meshmark's own eBPF data path (probes/datapath) on a node that does not forward, service addresses
 * resolved at connect(), and one Envoy per node for policies with L7 rules.
 */
export const cilium: MeshStandIn = {
  standIn: true,
  network: 'ebpf',
  servicePrefix: '10.98',
  enforcer: ebpfEnforcer,

  refusesPort: () => undefined,

  async up(run) {
    mkdirSync(ebpfPaths(run).directory, { recursive: true })
    const legs = await setUpEbpfNetwork(run)
    const { pid, startTicks } = await startLoader(run)
    writeEbpfState(run, { loader: { pid, startTicks }, attach: 'tc' })
    for (const leg of legs) await addFixed(run, leg)
  },

  async attach(run, { leg, number, workload }) {
    const loader = loaderDaemon(run)
    await assertRunning(loader)
    const client = await datapathClient(run)
    const id = endpointId(number)
    const addresses = addressesOf(leg)
    ebpfEndpoints.write(run, {
      id,
      place: leg.pod.place,
      workload: workload.name,
      labels: workload.labels,
      addresses,
      ports: workload.ports,
    })
    await client.request('endpoint.add', {
      device: leg.pod.place,
      endpoint: id,
      identity: identityOf(workload.labels, workload.ports),
      addresses,
    })
    return {
      proxies: [],
      watched: [loader],
      traits: { 'proxy workers': 0, mTLS: 'off' },
      kernel: kernelMeter(run),
      detach() {
        ebpfEndpoints.remove(run, id)
        // Written at once; its addresses are never used again in this run, so nobody waits for the answer.
        client.request('endpoint.remove', { endpoint: id }).catch(() => undefined)
      },
    }
  },

  async publish(run, { address, port, podAddress, podPort }) {
    const client = await datapathClient(run)
    await client.request('service.set', {
      address,
      port,
      protocol: TCP,
      backends: [{ address: podAddress, port: podPort, weight: 1 }],
    })
  },

  withdraw(run, { address, port }) {
    datapathClient(run)
      .then((client) => client.request('service.remove', { address, port, protocol: TCP }))
      .catch(() => undefined)
  },

  describe: (run) => ({
    name: 'cilium',
    standIn: true,
    dataPlane: `meshmark's own eBPF data path at ${readEbpfState(run).attach}: identity, policy, connection tracking, redirect to the peer; one Envoy per node for L7 rules`,
    controlPlane: 'none: the lab fills the maps itself',
    mtls: false,
    notes: [],
  }),
}

async function addFixed(run: RunState, leg: Leg): Promise<void> {
  const { place } = leg.pod
  const world = place === 'outside'
  const labels = world ? {} : { app: place }
  const id = endpointId(place === 'client' || place === 'stranger' ? place : 'outside')
  const { prefix = '', prefix6 = '' } = leg.network.world ?? {}
  const addresses = world ? [prefix, prefix6] : addressesOf(leg)
  ebpfEndpoints.write(run, { id, place, workload: place, labels, addresses, ports: [] })
  const client = await datapathClient(run)
  await client.request('endpoint.add', {
    device: place,
    endpoint: id,
    identity: world ? 2 : identityOf(labels, []),
    addresses,
    ...(world ? { world } : {}),
  })
}
