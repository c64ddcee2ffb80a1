import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { tryFlows } from '../../flow/try-flows.ts'
import { openLab, upLab } from '../../index.ts'
import type { DeployedWorkload, Lab, LabHandle } from '../../index.ts'
import { namespacePath } from '../../namespaces.ts'
import { networkOf, nodeNamespace } from '../../network.ts'

// Flows that are dropped are waited for.
vi.setConfig({ testTimeout: 60_000 })

const WAYS = ['iptables-stateful', 'nftables-sets'] as const
type Way = (typeof WAYS)[number]

let handle: LabHandle
let lab: Lab
let project: string
beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'meshmark-project-'))
  handle = await upLab({ waitMs: 500_000, root: project }, () => {})
  await handle.upMesh('baseline')
  lab = openLab(handle.runDir)
}, 510_000)
afterAll(() => {
  handle.down()
  rmSync(project, { recursive: true })
})

function policy(name: string, spec: object): string {
  const file = join(project, `${name}.yaml`)
  const kind = { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { name } }
  writeFileSync(
    file,
    JSON.stringify({ ...kind, spec: { endpointSelector: { matchLabels: { app: 'http-echo' } }, ...spec } }),
  )
  return file
}

const ECHO = `require('node:http').createServer((_, response) => response.end('ok')).listen(process.env.PORT)`
const deploy = (enforcement: Way): Promise<DeployedWorkload> => lab.deploy('baseline', 'http-echo', { enforcement })
const deployAs = (enforcement: Way, app: string): Promise<DeployedWorkload> =>
  lab.deploy('baseline', { command: ['node', '-e', ECHO], port: 3000, labels: { app } }, { enforcement })

async function seen(target: DeployedWorkload, from: 'client' | 'stranger' | DeployedWorkload): Promise<string> {
  const flow = { host: target.podAddress, port: 8080 }
  const [result] = typeof from === 'string' ? await lab.tryFlows(from, [flow]) : await tryFlows(from.pod, '0', [flow])
  return result?.kind ?? 'nothing'
}

/** Chains of pods in the node's packet filter. */
function chains(way: Way): number {
  const netns = namespacePath(nodeNamespace(handle.runId, networkOf(way)))
  const list = way === 'nftables-sets' ? ['nft', 'list', 'ruleset'] : ['iptables-save']
  const text = execFileSync('nsenter', [`--net=${netns}`, '--', ...list], { encoding: 'utf8' })
  return [...text.matchAll(way === 'nftables-sets' ? /chain (?:in|out)_\d+ \{/g : /^:mm-(?:in|out)-\d+ /gm)].length
}

test.for(WAYS)('%s: a port by its name, in a rule that denies and in one that allows', async (way) => {
  const target = await deploy(way)
  const peers = (app: string): object => ({
    fromEndpoints: [{ matchLabels: { app } }],
    toPorts: [{ ports: [{ port: 'http', protocol: 'TCP' }] }],
  })
  const denying = { enableDefaultDeny: { ingress: false }, ingressDeny: [peers('stranger')] }
  const denied = await lab.enforce('baseline', [target], policy('deny', denying), way)
  expect(denied.expected.map(({ from, allowed }) => [from, allowed])).toEqual([
    ['client', true],
    ['stranger', false],
  ])
  expect([await seen(target, 'client'), await seen(target, 'stranger')]).toEqual(['answered', 'silent'])
  await lab.enforce('baseline', [target], policy('allow', { ingress: [peers('client')] }), way)
  expect([await seen(target, 'client'), await seen(target, 'stranger')]).toEqual(['answered', 'silent'])
  target.remove()
  await lab.refreshPolicies('baseline', way)
})

test.for(WAYS)('%s: pods that come later are meant, too; with a pod goes what it was under', async (way) => {
  const target = await deploy(way)
  const early = await deployAs(way, 'early')
  const from = (app: string): object => ({ fromEndpoints: [{ matchLabels: { app } }] })
  await lab.enforce('baseline', [target], policy('peers', { ingress: [from('early'), from('late')] }), way)
  const late = await deployAs(way, 'late')
  expect(await seen(target, early)).toBe('answered')
  expect(await seen(target, late)).toBe('answered')
  expect(await seen(target, 'client')).toBe('silent')
  expect(chains(way)).toBeGreaterThan(0)
  for (const pod of [target, early, late]) pod.remove()
  await lab.refreshPolicies('baseline', way)
  expect(chains(way)).toBe(0)
})

test.for(WAYS)('%s: two workloads that are put under policies at once are both under theirs', async (way) => {
  const targets = [await deploy(way), await deploy(way)]
  const file = policy('client-only', { ingress: [{ fromEndpoints: [{ matchLabels: { app: 'client' } }] }] })
  await Promise.all(targets.map((target) => lab.enforce('baseline', [target], file, way)))
  for (const target of targets) {
    expect([await seen(target, 'client'), await seen(target, 'stranger')]).toEqual(['answered', 'silent'])
    target.remove()
  }
  await lab.refreshPolicies('baseline', way)
})

test('a file without a policy is refused', async () => {
  const target = await deploy('nftables-sets')
  writeFileSync(join(project, 'empty.yaml'), '# later\n')
  await expect(lab.enforce('baseline', [target], 'empty.yaml', 'nftables-sets')).rejects.toThrow(
    'empty.yaml holds no policy: nothing would be enforced',
  )
  target.remove()
})
