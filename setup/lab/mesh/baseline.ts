import { routedServices } from '../services.ts'
import type { MeshStandIn } from './mesh.ts'

/** No mesh: routed veth and a service address. */
export const baseline: MeshStandIn = {
  standIn: false,
  servicePrefix: '10.96',
  network: 'routed',
  ...routedServices,
  refusesPort: () => undefined,
  up: async () => {},
  attach: async () => ({ proxies: [], watched: [], traits: { 'proxy workers': 0, mTLS: 'off' } }),
  describe: () => ({
    name: 'baseline',
    standIn: false,
    dataPlane: 'none: routed veth, service address by nftables DNAT',
    controlPlane: 'none',
    mtls: false,
    notes: [],
  }),
}
