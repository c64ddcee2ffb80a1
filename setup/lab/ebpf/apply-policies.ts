import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import type { DesiredPolicies, PolicyEntry } from '../../../probes/client/datapath-protocol.ts'
import type { CidrIdentity } from '../policy/cidr-identities.ts'
import { compileGroups } from '../policy/compile-groups.ts'
import type { CompiledPolicy, L7Guard } from '../policy/compiled-policy.ts'
import type { World } from '../policy/world.ts'
import { writeWhole } from '../run-dir.ts'
import type { RunState } from '../run-state.ts'
import { endpointId, listEndpoints } from './endpoints.ts'
import { identityOf } from './identities.ts'
import { datapathClient } from './loader.ts'
import { NODE_PROXY } from './node-proxy.ts'
import { ebpfPaths } from './paths.ts'
import { policiesOf } from './policy-groups.ts'
import type { PolicyGroup } from './policy-groups.ts'

export interface PreparedGroup {
  readonly group: PolicyGroup
  readonly compiled: CompiledPolicy
}

/** All that is to be in force, ready for data path and proxy. */
export interface PreparedPolicies {
  readonly groups: readonly PreparedGroup[]
  readonly l7: readonly L7Guard[]
  readonly desired: DesiredPolicies
}

const identitiesSchema = v.array(v.object({ prefix: v.string(), identity: v.number() }))

/** The pods of the eBPF network as policies see them. `outside` is none: it is the world. */
export function ebpfWorld(run: { readonly dir: string }): World {
  return {
    endpoints: listEndpoints(run)
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
 * Compiles groups for the pods that are there now.
 * @param beside groups whose blocks the sets must be complete for, too
 * @param keep whether the blocks of `beside` are in force as well
 */
export function preparePolicies(
  run: RunState,
  groups: readonly PolicyGroup[],
  beside: readonly PolicyGroup[] = [],
  keep = false,
): PreparedPolicies {
  const world = ebpfWorld(run)
  const there = new Set(world.endpoints.map(({ id }) => id))
  const live = groups.filter(({ endpoints }) => endpoints.some((id) => there.has(id)))
  const { compiled, identities } = compileGroups(live.map(policiesOf), world, {
    identities: readIdentities(run),
    beside: beside.flatMap(policiesOf),
    keep,
  })
  const prepared = live.flatMap((group, index) => {
    const own = compiled[index]
    return own === undefined ? [] : [{ group, compiled: own }]
  })
  return {
    groups: prepared,
    l7: prepared.flatMap((group) => guardsOf(group, world)),
    desired: desiredOf(prepared, identities, world),
  }
}

/**
 * Goes from the policies of `before` to those of `after` without a moment in which a flow that both allow is cut, or one that both deny
 * let in: first the old ones, complete for the blocks of addresses that the new ones name, with all of these known; then the new ones.
 * @throws DatapathError when a map has no room; what was in force before stays
 */
export async function changePolicies(
  run: RunState,
  before: readonly PolicyGroup[],
  after: PreparedPolicies,
): Promise<void> {
  if (before.length > 0) {
    await applyPolicies(
      run,
      preparePolicies(
        run,
        before,
        after.groups.map(({ group }) => group),
        true,
      ),
    )
  }
  await applyPolicies(run, after)
}

/** @throws DatapathError when a map has no room; what was in force before stays */
async function applyPolicies(run: RunState, { desired }: PreparedPolicies): Promise<void> {
  const client = await datapathClient(run)
  await client.request('policy.apply', desired)
  writeWhole(identitiesFile(run), JSON.stringify(desired.identities))
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

function numbered(entry: PolicyEntry, { ruleOffset }: PolicyGroup): PolicyEntry {
  return entry.rule === 0 ? entry : { ...entry, rule: entry.rule + ruleOffset }
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
