import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import type { DesiredPolicies, PolicyEntry } from '../../../probes/client/datapath-protocol.ts'
import type { CidrIdentity } from '../policy/cidr-identities.ts'
import { compileChange } from '../policy/compile-change.ts'
import type { CompiledGroups } from '../policy/compile-change.ts'
import type { CompiledPolicy, L7Guard } from '../policy/compiled-policy.ts'
import { living } from '../policy/policy-store.ts'
import type { Policy } from '../policy/policy.ts'
import type { World } from '../policy/world.ts'
import { writeWhole } from '../run-dir.ts'
import type { RunState } from '../run-state.ts'
import { endpointId } from '../policy/endpoint-files.ts'
import { ebpfEndpoints } from './endpoints.ts'
import { identityOf } from './identities.ts'
import { datapathClient } from './loader.ts'
import { NODE_PROXY } from './node-proxy.ts'
import { ebpfPaths } from './paths.ts'
import { ebpfGroups } from './policy-groups.ts'
import type { EbpfGroup } from './policy-groups.ts'

export interface PreparedGroup {
  readonly group: EbpfGroup
  readonly compiled: CompiledPolicy
}

/** All that is to be in force, ready for data path and proxy. */
export interface PreparedChange {
  readonly groups: readonly PreparedGroup[]
  readonly l7: readonly L7Guard[]
  /** What the data path is to have, one after the other; the last is what is wanted. */
  readonly states: readonly DesiredPolicies[]
}

const identitiesSchema = v.array(v.object({ prefix: v.string(), identity: v.number() }))

/** The pods of the eBPF network as policies see them. `outside` is none: it is the world. */
export function ebpfWorld(run: { readonly dir: string }): World {
  return {
    endpoints: ebpfEndpoints
      .list(run)
      .filter(({ id }) => id !== endpointId('outside'))
      .map(({ id, place, labels, addresses, ports }) => ({
        id,
        name: place,
        identity: identityOf(labels, ports),
        labels,
        addresses,
        ports,
      })),
    hostAddresses: [],
  }
}

/**
 * The way from the groups in force to others, for the pods that are there now: no flow that both allow is cut on it, and none that both
 * deny is let in (see compileChange).
 */
export function prepareChange(
  run: RunState,
  before: readonly EbpfGroup[],
  after: readonly EbpfGroup[],
): PreparedChange {
  const world = ebpfWorld(run)
  const [old, next] = [living(before, world.endpoints), living(after, world.endpoints)]
  const policiesOf = (groups: readonly EbpfGroup[]): (readonly Policy[])[] =>
    groups.map((group) => ebpfGroups.policiesOf(group))
  const { bridge, final } = compileChange(policiesOf(old), policiesOf(next), world, readIdentities(run))
  const prepared = preparedOf(next, final)
  return {
    groups: prepared,
    l7: prepared.flatMap((group) => guardsOf(group, world)),
    states: [
      ...(bridge === undefined ? [] : [desiredOf(preparedOf(old, bridge), bridge.identities, world)]),
      desiredOf(prepared, final.identities, world),
    ],
  }
}

/** @throws DatapathError when a map has no room; what was in force before stays, or what both states allow and deny */
export async function applyChange(run: RunState, { states }: PreparedChange): Promise<void> {
  const client = await datapathClient(run)
  for (const desired of states) {
    await client.request('policy.apply', desired)
    writeWhole(identitiesFile(run), JSON.stringify(desired.identities))
  }
}

function preparedOf(groups: readonly EbpfGroup[], { compiled }: CompiledGroups): PreparedGroup[] {
  return groups.flatMap((group, index) => {
    const own = compiled[index]
    return own === undefined ? [] : [{ group, compiled: own }]
  })
}

function desiredOf(
  groups: readonly PreparedGroup[],
  identities: readonly CidrIdentity[],
  world: World,
): DesiredPolicies {
  const sets = new Map<string, readonly PolicyEntry[]>()
  const own = new Map<number, { ingress: string | null; egress: string | null }>()
  for (const { group, compiled } of groups) {
    const named = (name: string | null): string | null => (name === null ? null : `${group.id}/${name}`)
    for (const { endpoint, ingress, egress } of compiled.endpoints) {
      if (!group.endpoints.includes(endpoint)) continue
      own.set(endpoint, { ingress: named(ingress), egress: named(egress) })
    }
    const used = new Set([...own.values()].flatMap(({ ingress, egress }) => [ingress, egress]))
    for (const set of compiled.sets) {
      const name = `${group.id}/${set.name}`
      if (used.has(name))
        sets.set(
          name,
          set.entries.map((entry) => numbered(entry, group)),
        )
    }
  }
  const usesProxy = [...sets.values()].some((entries) => entries.some(({ verdict }) => verdict === 'proxy'))
  return {
    identities,
    sets: [...sets].map(([name, entries]) => ({ name, entries })),
    endpoints: world.endpoints.map(({ id }) => ({ endpoint: id, ...(own.get(id) ?? { ingress: null, egress: null }) })),
    proxy: usesProxy ? NODE_PROXY : null,
  }
}

function numbered(entry: PolicyEntry, { ruleOffset }: EbpfGroup): PolicyEntry {
  return entry.rule === 0 || ruleOffset === 0 ? entry : { ...entry, rule: entry.rule + ruleOffset }
}

/** The guards of a group, for its own pods. */
function guardsOf({ group, compiled }: PreparedGroup, world: World): L7Guard[] {
  return compiled.l7.flatMap((guard) => {
    const endpoints = world.endpoints.filter(({ id }) => guard.endpoints.includes(id) && group.endpoints.includes(id))
    if (endpoints.length === 0) return []
    return [
      {
        ...guard,
        endpoints: endpoints.map(({ id }) => id),
        addresses: endpoints.flatMap(({ addresses }) => addresses),
      },
    ]
  })
}

function readIdentities(run: { readonly dir: string }): CidrIdentity[] {
  const file = identitiesFile(run)
  return existsSync(file) ? v.parse(identitiesSchema, JSON.parse(readFileSync(file, 'utf8'))) : []
}

function identitiesFile(run: { readonly dir: string }): string {
  return join(ebpfPaths(run).directory, 'identities.json')
}
