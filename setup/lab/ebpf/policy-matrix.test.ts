/**
 * The data path and its proxy against the oracle: generated policies on all pods of the network, and flows between them and the
 * world, tried for real. What the oracle denies must be dropped, all of it, and nothing else.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { tryFlows } from '../flow/try-flows.ts'
import type { Flow as TriedFlow, FlowResult } from '../flow/flow.ts'
import { openLab, upLab } from '../index.ts'
import type { DeployedWorkload, LabHandle } from '../index.ts'
import { fixedPod } from '../pod.ts'
import type { Pod } from '../pod.ts'
import { envoyRbac } from '../policy/envoy-rbac.ts'
import { verdictOf } from '../policy/oracle.ts'
import { parsePolicy } from '../policy/parse.ts'
import { policyMatrix } from '../policy/testing/matrix.ts'
import type { MatrixCase, MatrixGroup } from '../policy/testing/matrix.ts'
import { readRunState } from '../run-state.ts'
import type { RunState } from '../run-state.ts'
import { applyChange, ebpfWorld, prepareChange } from './apply-policies.ts'
import { nodeProxyWith } from './node-proxy.ts'
import { ebpfGroups } from './policy-groups.ts'
import type { EbpfGroup } from './policy-groups.ts'

vi.setConfig({ testTimeout: 240_000 })

/** Enough for a machine that does other work; nothing is ever lost on these paths but by policy. */
const TIMEOUT_MS = 900
const UDP = 17

let handle: LabHandle
let run: RunState
let folder: string
const pods = new Map<string, Pod>()
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'meshmark-matrix-'))
  handle = await upLab({ waitMs: 500_000 }, () => {})
  await handle.upMesh('cilium')
  run = readRunState(handle.runDir)
  const lab = openLab(handle.runDir)
  const server = (labels: Record<string, string>): Promise<DeployedWorkload> =>
    lab.deploy('cilium', {
      command: ['node', '-e', 'require("http").createServer((q, s) => s.end("ok")).listen(8080)'],
      port: 8080,
      labels,
    })
  const workloads = await Promise.all([
    server({ app: 'http-echo', tier: 'back' }),
    server({ app: 'http-echo', tier: 'back' }),
    server({ app: 'other', tier: 'back' }),
  ])
  for (const { pod, podAddress, podAddress6 = '' } of workloads) {
    pods.set(podAddress, pod)
    pods.set(podAddress6, pod)
  }
  for (const place of ['client', 'stranger'] as const) {
    const addresses = ebpfWorld(run).endpoints.find(({ name }) => name === place)?.addresses ?? []
    for (const address of addresses) pods.set(address, fixedPod(run.runId, place))
  }
  for (const address of ['203.0.113.2', '2001:db8::2']) pods.set(address, fixedPod(run.runId, 'outside'))
}, 520_000)
afterAll(() => {
  handle.down()
  rmSync(folder, { recursive: true })
})

async function inForce(
  { manifests }: Pick<MatrixGroup, 'manifests'>,
  index: number,
  before: readonly EbpfGroup[],
): Promise<EbpfGroup> {
  const file = join(folder, `${index}.yaml`)
  writeFileSync(file, manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n'))
  const endpoints = ebpfWorld(run).endpoints.map(({ id }) => id)
  const next: EbpfGroup = { id: `matrix-${index}`, file, endpoints, ruleOffset: 0, rules: 1000 }
  const prepared = prepareChange(run, before, [next])
  await nodeProxyWith(run, envoyRbac(prepared.l7))
  await applyChange(run, prepared)
  ebpfGroups.replace(run, [next])
  return next
}

/** What is tried of a case: a flow, or each of its requests. */
function trialsOf({ flow, verdict, requests }: MatrixCase): { flow: TriedFlow; expected: string }[] {
  const target = { host: flow.destination, port: flow.port }
  if (verdict !== 'http') {
    return [{ flow: flow.protocol === UDP ? { ...target, udp: true } : target, expected: verdict }]
  }
  return requests.map(({ request: { method, path, host, headers }, passes }) => ({
    flow: { ...target, http: { method, path, headers: { ...headers, host } } },
    expected: passes ? 'passes' : '403',
  }))
}

/** A reset or an ICMP error is an answer of the pod: the packet arrived. Envoy answers 503 where nobody listens behind it. */
function seen(flow: TriedFlow, result: FlowResult): string {
  if (result.kind === 'silent') return 'deny'
  if (flow.http === undefined) return 'allow'
  if (result.kind === 'refused') return result.message
  return result.status === 403 ? '403' : 'passes'
}

/** Tries all cases while their policies are in force, and says which came out otherwise than the oracle does. */
async function wrongOf(index: number, cases: readonly MatrixCase[], counts: Record<string, number>): Promise<string[]> {
  const wrong: string[] = []
  const bySource = Map.groupBy(cases, ({ flow }) => flow.source)
  await Promise.all(
    [...bySource].map(async ([source, own]) => {
      const pod = pods.get(source)
      if (pod === undefined) throw new Error(`no pod has ${source}`)
      const trials = own.flatMap(trialsOf)
      const results = await tryFlows(
        pod,
        run.cpus.client,
        trials.map(({ flow }) => flow),
        TIMEOUT_MS,
      )
      for (const [at, { flow, expected }] of trials.entries()) {
        const result = results[at]
        const got = result === undefined ? 'nothing' : seen(flow, result)
        counts[expected] = (counts[expected] ?? 0) + 1
        if (got !== expected) {
          wrong.push(
            `${index}: ${source} → ${JSON.stringify(flow)}: ${got}, not ${expected} (${JSON.stringify(result)})`,
          )
        }
      }
    }),
  )
  return wrong
}

test('at least 200 cases of policies and flows: all that is denied is dropped, and nothing that is allowed', async () => {
  const groups = policyMatrix({
    world: ebpfWorld(run),
    outside: ['203.0.113.2', '2001:db8::2'],
    ports: [8080, 80, 443, 9090],
    protocols: [6, 17],
    http: 'some',
    groups: 26,
    casesPerGroup: 10,
    seed: 20261124,
  })
  const wrong: string[] = []
  const counts: Record<string, number> = {}
  let before: EbpfGroup[] = []
  for (const [index, group] of groups.entries()) {
    before = [await inForce(group, index, before)]
    wrong.push(...(await wrongOf(index, group.cases, counts)))
  }
  expect(wrong).toEqual([])
  const tried = Object.values(counts).reduce((sum, count) => sum + count, 0)
  process.stdout.write(`policy matrix: ${tried} cases of ${groups.length} policies: ${JSON.stringify(counts)}\n`)
  expect(tried).toBeGreaterThanOrEqual(200)
  for (const kind of ['allow', 'deny', 'passes', '403']) expect(counts[kind]).toBeGreaterThan(5)
})

/** In the data path's map the addresses of IPv4 lie in ::/0. */
test.for([
  ['allowed', { ingress: [{ fromCIDR: ['::/0'] }] }],
  ['denied', { ingress: [{ fromEntities: ['all'] }], ingressDeny: [{ fromCIDR: ['::/0'] }] }],
] as const)('a block of IPv6 that is %s holds no address of IPv4', async ([name, rules]) => {
  const manifest = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name: `ipv6-${name}` },
    spec: { endpointSelector: { matchLabels: { app: 'http-echo' } }, ...rules },
  }
  const policies = [parsePolicy(manifest, name)]
  const world = ebpfWorld(run)
  const pairs = [
    ['203.0.113.2', (address: string) => !address.includes(':')],
    ['2001:db8::2', (address: string) => address.includes(':')],
  ] as const
  const cases = pairs.flatMap(([source, alike]): MatrixCase[] =>
    world.endpoints
      .filter(({ labels }) => labels['app'] === 'http-echo')
      .flatMap(({ addresses }) => addresses.filter(alike))
      .map((destination) => {
        const flow = { source, destination, protocol: 6, port: 8080 } as const
        return { flow, verdict: verdictOf(policies, world, flow).verdict, requests: [] }
      }),
  )
  const counts: Record<string, number> = {}
  await inForce({ manifests: [manifest] }, name === 'allowed' ? 1_000 : 1_001, [])
  expect(await wrongOf(0, cases, counts)).toEqual([])
  expect(counts).toEqual({ allow: 2, deny: 2 })
})
