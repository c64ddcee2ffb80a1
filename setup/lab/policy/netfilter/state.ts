import { join } from 'node:path'
import * as v from 'valibot'
import type { NetworkName } from '../../network.ts'
import { EndpointFiles } from '../endpoint-files.ts'
import { groupEntries, type PolicyGroup, PolicyStore } from '../policy-store.ts'

/** Ways of enforcing by netfilter; each is the name of its network, too. */
export type NetfilterWay = Extract<NetworkName, 'iptables-stateful' | 'iptables-stateless' | 'nftables-sets'>

/** Who is in the network of a way, and what is in force there. */
export interface NetfilterState {
  readonly endpoints: EndpointFiles
  readonly groups: PolicyStore<PolicyGroup>
}

const STATES = new Map<NetfilterWay, NetfilterState>()

/** The same for everybody in this process: changes take turns. */
export function netfilterState(way: NetfilterWay): NetfilterState {
  const known = STATES.get(way)
  if (known !== undefined) return known
  const state = {
    endpoints: new EndpointFiles((run) => join(run.dir, way, 'endpoints')),
    groups: new PolicyStore<PolicyGroup>({
      directoryOf: (run) => join(run.dir, way, 'policies'),
      schema: v.object(groupEntries),
    }),
  }
  STATES.set(way, state)
  return state
}
