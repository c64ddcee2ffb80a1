import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import * as v from 'valibot'
import { LabError } from '../lab-error.ts'
import { clientLeg } from '../leg.ts'
import { namespacePath } from '../namespaces.ts'
import { networkOf, nodeNamespace } from '../network.ts'
import type { NetworkName } from '../network.ts'
import { markOfRun } from '../program-environment.ts'
import { writeWhole } from '../run-dir.ts'
import type { RunState } from '../run-state.ts'
import { countRules } from './count-rules.ts'
import type { Drop, EnforcedPolicy, PolicedPod, PolicyEnforcer } from './enforcer.ts'
import { expectedFlows } from './expected-flows.ts'
import { iptablesRules } from './netfilter/iptables.ts'
import { nftablesRules } from './netfilter/nftables.ts'
import { readPoliciesFor } from './read-policies.ts'
import type { Policy } from './policy.ts'
import { scoped, SCOPE_LABEL } from './scoped.ts'
import type { Endpoint, World } from './world.ts'

/** Ways of enforcing by netfilter; each is the name of its network, too. */
export type NetfilterWay = Extract<NetworkName, 'iptables-stateful' | 'iptables-stateless' | 'nftables-sets'>

const groupSchema = v.object({
  id: v.string(),
  file: v.string(),
  pods: v.array(
    v.object({
      number: v.number(),
      place: v.string(),
      workload: v.string(),
      labels: v.record(v.string(), v.string()),
      address: v.string(),
      address6: v.optional(v.string()),
      port: v.number(),
    }),
  ),
})
type Group = v.InferOutput<typeof groupSchema>

/** Numbers of the pods that every run has; those of workloads come after them. */
const CLIENT = 1
const STRANGER = 2
const FIRST_WORKLOAD = 16

/** A policy as rules of the node's own packet filter, in the network of that way. The lab's networks of this kind have IPv4 only. */
export function netfilterEnforcer(way: NetfilterWay): PolicyEnforcer {
  return {
    async enforce(run, pods, file) {
      const startMs = performance.now()
      const policies = readPoliciesFor(run.root, file, pods)
      const group: Group = { id: randomBytes(4).toString('hex'), file, pods: pods.map(withoutUndefined) }
      const numbers = new Set(pods.map(({ number }) => number))
      const others = listGroups(run, way).filter((other) => !other.pods.some(({ number }) => numbers.has(number)))
      await apply(run, way, [...others, group])
      for (const other of listGroups(run, way))
        if (!others.some(({ id }) => id === other.id)) removeGroup(run, way, other.id)
      writeGroup(run, way, group)
      return {
        by: way,
        rules: countRules(policies),
        appliedMs: performance.now() - startMs,
        expected: expectedFlows(policies, worldOf(run, way, [group]), sourcesOf(run, way), pods),
        drops: () => dropsOf(run, way, pods),
        async remove() {
          removeGroup(run, way, group.id)
          await apply(run, way, listGroups(run, way))
        },
      } satisfies EnforcedPolicy
    },
  }
}

async function apply(run: RunState, way: NetfilterWay, groups: readonly Group[]): Promise<void> {
  const policies = groups.flatMap((group): Policy[] =>
    readPoliciesFor(run.root, group.file, group.pods.map(toPod)).map((policy) => scoped(policy, group.id)),
  )
  const world = worldOf(run, way, groups)
  if (way === 'nftables-sets') await inNode(run, way, ['nft', '-f', '-'], nftablesRules(policies, world))
  else {
    const mode = way === 'iptables-stateful' ? 'stateful' : 'stateless'
    await inNode(run, way, ['iptables-restore', '-w'], iptablesRules(policies, world, mode))
  }
}

function worldOf(run: RunState, way: NetfilterWay, groups: readonly Group[]): World {
  const network = networkOf(way)
  const fixed = (['client', 'stranger'] as const).map((place): Endpoint => ({
    id: place === 'client' ? CLIENT : STRANGER,
    name: place,
    identity: place === 'client' ? CLIENT : STRANGER,
    labels: { app: place },
    addresses: [clientLeg(run.runId, network, place).address],
    ports: [],
  }))
  const pods = groups.flatMap(({ id, pods: own }) =>
    own.map((pod): Endpoint => ({
      id: FIRST_WORKLOAD + pod.number,
      name: pod.place,
      identity: FIRST_WORKLOAD + pod.number,
      labels: { ...pod.labels, [SCOPE_LABEL]: id },
      addresses: [pod.address],
      ports: [],
    })),
  )
  return { endpoints: [...fixed, ...pods], hostAddresses: [] }
}

function sourcesOf(run: RunState, way: NetfilterWay): { from: 'client' | 'stranger'; address: string }[] {
  const network = networkOf(way)
  return (['client', 'stranger'] as const).map((from) => ({
    from,
    address: clientLeg(run.runId, network, from).address,
  }))
}

/** From the counters of the rules that drop: the last one of a pod's chain is its default deny. */
async function dropsOf(run: RunState, way: NetfilterWay, pods: readonly PolicedPod[]): Promise<Drop[]> {
  const isSets = way === 'nftables-sets'
  const text = isSets
    ? await inNode(run, way, ['nft', 'list', 'table', 'ip', 'meshmark_policy'])
    : await inNode(run, way, ['iptables-save', '-c', '-t', 'filter'])
  return pods.flatMap((pod) => {
    const id = FIRST_WORKLOAD + pod.number
    const packets = (isSets ? droppedInSets(text, id) : droppedInChains(text, id)).reduce(
      (sum, count) => sum + count,
      0,
    )
    return packets === 0 ? [] : [{ pod: pod.place, reason: 'dropped by the packet filter', rule: null, packets }]
  })
}

function droppedInChains(text: string, id: number): number[] {
  return [
    ...text.matchAll(new RegExp(String.raw`^\[(\d+):\d+\] -A mm-(?:in|out)-${id}(?:-\d+)? .*-j DROP$`, 'gm')),
  ].map(([, packets]) => Number(packets))
}

function droppedInSets(text: string, id: number): number[] {
  return [...text.matchAll(new RegExp(String.raw`chain (?:in|out)_${id} \{[^}]*\}`, 'g'))].flatMap(([chain]) =>
    [...chain.matchAll(/counter packets (\d+) bytes \d+ drop/g)].map(([, packets]) => Number(packets)),
  )
}

async function inNode(run: RunState, way: NetfilterWay, command: readonly string[], input = ''): Promise<string> {
  const netns = namespacePath(nodeNamespace(run.runId, networkOf(way)))
  const result = await execa('nsenter', [`--net=${netns}`, '--', ...command], {
    input,
    env: markOfRun(run.runId),
    reject: false,
  })
  if (!result.failed) return result.stdout
  const found = (result.stderr || result.shortMessage || '').trim().slice(-600)
  throw new LabError(
    `The policy could not be put into the packet filter: ${command[0]}: ${found}`,
    /No such file/.test(found)
      ? `install it: apt-get install ${command[0]?.startsWith('nft') ? 'nftables' : 'iptables'}`
      : undefined,
  )
}

function withoutUndefined({ address6, ...pod }: PolicedPod): Group['pods'][number] {
  return { ...pod, labels: { ...pod.labels }, ...(address6 === undefined ? {} : { address6 }) }
}

function toPod({ address6, ...pod }: Group['pods'][number]): PolicedPod {
  return { ...pod, address6 }
}

function directoryOf(run: { readonly dir: string }, way: NetfilterWay): string {
  return join(run.dir, way)
}

function writeGroup(run: RunState, way: NetfilterWay, group: Group): void {
  writeWhole(join(directoryOf(run, way), `${group.id}.json`), JSON.stringify(group))
}

function removeGroup(run: RunState, way: NetfilterWay, id: string): void {
  rmSync(join(directoryOf(run, way), `${id}.json`), { force: true })
}

function listGroups(run: RunState, way: NetfilterWay): Group[] {
  const directory = directoryOf(run, way)
  mkdirSync(directory, { recursive: true })
  return readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .map((name) => v.parse(groupSchema, JSON.parse(readFileSync(join(directory, name), 'utf8'))))
}
