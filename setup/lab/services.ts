import { execa, execaSync } from 'execa'
import { LabError } from './lab-error.ts'
import { namespacePath } from './namespaces.ts'
import { networkOf, nodeNamespace } from './network.ts'
import type { Network } from './network.ts'
import { markOfRun } from './program-environment.ts'

/** A service address that the node translates to a pod's, as kube-proxy does. */
export interface Service {
  readonly address: string
  readonly port: number
  readonly podAddress: string
  readonly podPort: number
}

/** The node's table: one map lookup for the first packet of a connection, however many services there are (kube-proxy's nftables mode). */
export function nodeRules(): string {
  return `table ip meshmark {
  map services {
    type ipv4_addr . inet_service : ipv4_addr . inet_service
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    dnat ip to ip daddr . tcp dport map @services
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
  }
}
`
}

/** How a mesh on the routed network gives its services their addresses. */
export const routedServices = {
  publish: (run: { readonly runId: string }, service: Service) => addService(run.runId, networkOf('routed'), service),
  withdraw: (run: { readonly runId: string }, service: Service) =>
    removeService(run.runId, networkOf('routed'), service),
}

/** @throws LabError with nft's own words. */
export async function addService(runId: string, network: Network, service: Service): Promise<void> {
  const result = await execa(
    'nsenter',
    nft(runId, network, 'add', `{ ${key(service)} : ${service.podAddress} . ${service.podPort} }`),
    { env: markOfRun(runId), reject: false },
  )
  if (result.failed) throw new LabError(`Could not give ${key(service)} to ${service.podAddress}: ${result.stderr}`)
}

/** Synchronous, for the tear-down; a service that is gone already is no error. */
export function removeService(runId: string, network: Network, service: Service): void {
  execaSync('nsenter', nft(runId, network, 'delete', `{ ${key(service)} }`), { reject: false })
}

function nft(runId: string, network: Network, verb: 'add' | 'delete', elements: string): string[] {
  return [
    `--net=${namespacePath(nodeNamespace(runId, network))}`,
    '--',
    'nft',
    `${verb} element ip meshmark services ${elements}`,
  ]
}

function key({ address, port }: Service): string {
  return `${address} . ${port}`
}
