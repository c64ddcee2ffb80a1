import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { datapathClient } from '../ebpf/loader.ts'
import { ebpfGroups } from '../ebpf/policy-groups.ts'
import { tryFlows } from '../flow/try-flows.ts'
import { nodeProxyAdmin } from '../ebpf/node-proxy.ts'
import { readEbpfState } from '../ebpf/state.ts'
import { sumStats } from '../envoy/admin.ts'
import { openLab, upLab } from '../index.ts'
import type { DeployedWorkload, EnforcedPolicy, FixedPod, Lab, LabHandle } from '../index.ts'
import { leftovers } from '../testing/leftovers.ts'

// Flows that are dropped are waited for.
vi.setConfig({ testTimeout: 60_000 })

let handle: LabHandle
let lab: Lab
let project: string
beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'meshmark-project-'))
  handle = await upLab({ waitMs: 500_000, root: project }, () => {})
  await Promise.all([handle.upMesh('baseline'), handle.upMesh('cilium')])
  lab = openLab(handle.runDir)
}, 510_000)
afterAll(() => {
  handle.down()
  rmSync(project, { recursive: true })
})

const run = (): { dir: string } => ({ dir: handle.runDir })

function policy(name: string, spec: object): string {
  const manifest = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name },
    spec: { endpointSelector: { matchLabels: { app: 'http-echo' } }, ...spec },
  }
  writeFileSync(join(project, `${name}.yaml`), JSON.stringify(manifest))
  return `${name}.yaml`
}

const fromApp = (app: string, more: object = {}): object => ({
  fromEndpoints: [{ matchLabels: { app } }],
  toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }], ...more }],
})

/** What becomes of a request from each pod. */
async function seen(target: DeployedWorkload, method = 'GET', path = '/'): Promise<Record<string, string>> {
  const places: FixedPod[] = ['client', 'stranger', 'outside']
  const results = await Promise.all(
    places.map((from) => lab.tryFlows(from, [{ host: target.podAddress, port: 8080, http: { method, path } }])),
  )
  return Object.fromEntries(
    places.map((from, index) => {
      const result = results[index]?.[0]
      return [from, result?.kind === 'answered' ? String(result.status) : (result?.kind ?? 'nothing')]
    }),
  )
}

const drops = async (enforced: EnforcedPolicy, before: readonly unknown[] = []): Promise<string[]> =>
  (await enforced.drops())
    .map(({ pod, reason, rule, packets }) => `${pod.replace(/^p\d+$/, 'p')} ${reason} ${rule ?? '-'} ${packets > 0}`)
    .slice(before.length)

test('the service address leads to the pod, and without a policy everybody reaches it', async () => {
  const target = await lab.deploy('cilium', 'http-echo')
  const [result] = await lab.tryFlows('client', [
    { host: target.host, port: target.port, http: { method: 'GET', path: '/' } },
  ])
  expect(result).toEqual({ kind: 'answered', status: 200 })
  expect(await seen(target)).toEqual({ client: '200', stranger: '200', outside: '200' })
  expect({ mesh: target.mesh, standIn: target.standIn, sidecars: target.sidecars }).toEqual({
    mesh: 'cilium',
    standIn: true,
    sidecars: 0,
  })
  target.remove()
  expect(await lab.tryFlows('client', [{ host: target.host, port: target.port }])).toMatchObject([{}])
})

test('an L3/L4 policy lets in whom it names, on its pods only, and says what it dropped', async () => {
  const [open, guarded] = [await lab.deploy('cilium', 'http-echo'), await lab.deploy('cilium', 'http-echo')]
  const enforced = await lab.enforce('cilium', [guarded], policy('l3-l4', { ingress: [fromApp('client')] }))
  expect(await seen(guarded)).toEqual({ client: '200', stranger: 'silent', outside: 'silent' })
  expect(await seen(open)).toEqual({ client: '200', stranger: '200', outside: '200' })
  expect(enforced.by).toBe('eBPF')
  expect(enforced.expected.map(({ from, allowed }) => [from, allowed])).toEqual([
    ['client', true],
    ['stranger', false],
    ['outside', false],
  ])
  expect(await drops(enforced)).toEqual(['p default deny - true'])

  await enforced.remove()
  expect(await seen(guarded)).toEqual({ client: '200', stranger: '200', outside: '200' })
  open.remove()
  guarded.remove()
})

test('a deny rule wins, and the drop names it', async () => {
  const target = await lab.deploy('cilium', 'http-echo')
  const enforced = await lab.enforce(
    'cilium',
    [target],
    policy('deny', { ingress: [{ fromEntities: ['all'] }], ingressDeny: [fromApp('stranger')] }),
  )
  expect(await seen(target)).toEqual({ client: '200', stranger: 'silent', outside: '200' })
  expect((await enforced.drops()).map(({ rule }) => rule).filter((rule) => rule !== null)).toEqual([
    expect.stringContaining('CiliumNetworkPolicy default/deny spec.ingressDeny[0]'),
  ])
  target.remove()
})

test("L7 rules go through the node's one Envoy, which counts what it denies; the server sees the client's own address", async () => {
  const show = 'require("http").createServer((q, s) => s.end(q.socket.remoteAddress)).listen(8080)'
  const target = await lab.deploy('cilium', { command: ['node', '-e', show], port: 8080, labels: { app: 'http-echo' } })
  const enforced = await lab.enforce(
    'cilium',
    [target],
    policy('l7', { ingress: [fromApp('client', { rules: { http: [{ method: 'GET', path: '/' }] } })] }),
  )
  expect(enforced.by).toBe('eBPF + Envoy')
  expect(await seen(target)).toEqual({ client: '200', stranger: 'silent', outside: 'silent' })
  expect(await seen(target, 'POST')).toMatchObject({ client: '403' })
  expect(await seen(target, 'GET', '/admin')).toMatchObject({ client: '403' })
  expect(await sumStats(nodeProxyAdmin(run()), String.raw`rbac\..*denied$`)).toBe(2)
  const curl = lab.pod('client').run(['curl', '-s', '-m', '3', `http://${target.podAddress}:8080/`])
  let body = ''
  curl.stdout.on('data', (chunk: Buffer) => (body += chunk.toString()))
  await curl.ended
  expect(body).toMatch(/10\.245\.0\.2$/)
  expect(target.readCpu().map(({ component }) => component)).toEqual(['app', 'shared proxy'])

  // IPv6 takes the same way.
  if (target.podAddress6 === undefined) throw new Error('no IPv6 address')
  const six = [
    { host: target.podAddress6, port: 8080, http: { method: 'GET', path: '/' } },
    { host: target.podAddress6, port: 8080, http: { method: 'POST', path: '/' } },
  ]
  expect(await lab.tryFlows('client', six)).toEqual([
    { kind: 'answered', status: 200 },
    { kind: 'answered', status: 403 },
  ])
  expect(await lab.tryFlows('stranger', six)).toEqual([{ kind: 'silent' }, { kind: 'silent' }])
  target.remove()
})

test('an established flow is cut when its allow is revoked, and never while policies are swapped that both allow it', async () => {
  // From a port below the server's: whose connection it is must not be guessed from the ports once it has been revoked.
  const target = await lab.deploy('cilium', 'http-echo')
  const allow = policy('allow', { ingress: [fromApp('client')] })
  const allowToo = policy('allow-too', {
    ingress: [fromApp('client'), { fromCIDR: ['203.0.113.0/24', '198.51.100.0/24'] }],
  })
  await lab.enforce('cilium', [target], allow)
  const program = `
    const http = require('http'), agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    let answers = 0, connections = 0, last = Date.now()
    const end = (ended) => { console.log(JSON.stringify({ answers, connections, ended })); process.exit() }
    setInterval(() => { if (Date.now() - last > 1500) end('silent') }, 50)
    const next = () => {
      const call = http.get({ host: '${target.podAddress}', port: 8080, localPort: 7001, agent }, (r) => r.resume().on('end', () => { answers++; last = Date.now(); next() }))
      call.on('socket', (socket) => { if (!socket.seen) { socket.seen = true; connections++ } })
      call.on('error', (error) => end(error.code))
    }
    next()`
  const client = target.runInClient(['node', '-e', program])
  let output = ''
  client.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await new Promise((resolve) => setTimeout(resolve, 300))
  for (let change = 0; change < 20; change++) {
    await lab.enforce('cilium', [target], change % 2 === 0 ? allowToo : allow)
  }
  expect(output).toBe('')
  await lab.enforce(
    'cilium',
    [target],
    policy('nobody', { ingress: [], egress: [], enableDefaultDeny: { ingress: true, egress: false } }),
  )
  await client.ended
  const { answers, connections, ended } = JSON.parse(output) as { answers: number; connections: number; ended: string }
  expect({ connections, ended, answered: answers > 100 }).toEqual({ connections: 1, ended: 'silent', answered: true })
  target.remove()
})

test('the meter of the programs counts their runs', async () => {
  const target = await lab.deploy('cilium', 'http-echo')
  const { kernel } = target
  if (kernel === undefined) throw new Error('cilium has no meter')
  const runs = async (): Promise<number> => (await kernel.read()).reduce((sum, { runs: count }) => sum + count, 0)
  const before = await runs()
  await kernel.on()
  await seen(target)
  await kernel.off()
  expect(await runs()).toBeGreaterThan(before)
  target.remove()
})

test('two policies on one pod: what either allows is let in, what one denies is not', async () => {
  const target = await lab.deploy('cilium', 'http-echo')
  const both = [
    policy('for-the-client', { ingress: [fromApp('client')] }),
    policy('for-the-stranger', { ingress: [fromApp('stranger')] }),
  ]
  const file = (name: string, names: readonly string[]): string => {
    writeFileSync(
      join(project, `${name}.yaml`),
      names.map((each) => readFileSync(join(project, each), 'utf8')).join('\n---\n'),
    )
    return `${name}.yaml`
  }
  const allowed = await lab.enforce('cilium', [target], file('both', both))
  expect(await seen(target)).toEqual({ client: '200', stranger: '200', outside: 'silent' })
  const contradicting = policy('against-the-stranger', { ingressDeny: [fromApp('stranger')] })
  const denied = await lab.enforce('cilium', [target], file('all', [...both, contradicting]))
  expect(await seen(target)).toEqual({ client: '200', stranger: 'silent', outside: 'silent' })
  expect((await denied.drops()).map(({ rule }) => rule)).toContainEqual(
    expect.stringContaining('default/against-the-stranger spec.ingressDeny[0]'),
  )
  await denied.remove()
  expect(allowed.by).toBe('eBPF')
  target.remove()
})

test('a policy that selects none of the pods is refused, and so is what the lab cannot enforce', async () => {
  const target = await lab.deploy('cilium', 'http-echo')
  const refusal = (file: string): Promise<string> =>
    lab.enforce('cilium', [target], file).then(
      () => 'it was enforced',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
  expect(
    await refusal(policy('other', { endpointSelector: { matchLabels: { app: 'other' } }, ingress: [{}] })),
  ).toMatch(
    /^other\.yaml: CiliumNetworkPolicy default\/other selects none of the pods of http-echo \(labels app=http-echo\): it would enforce nothing/,
  )
  expect(await refusal(policy('dns', { egress: [{ toFQDNs: [{ matchName: 'example.org' }] }] }))).toMatch(/toFQDNs/)
  expect(await refusal('missing.yaml')).toMatch(/missing\.yaml/)
  await expect(lab.enforce('baseline', [target], 'other.yaml')).rejects.toThrow(
    'Nothing enforces policies on workloads of baseline',
  )
  target.remove()
})

const ECHO = `require('node:http').createServer((_, response) => response.end('ok')).listen(process.env.PORT)`
const deployAs = (app: string): Promise<DeployedWorkload> =>
  lab.deploy('cilium', { command: ['node', '-e', ECHO], port: 3000, labels: { app } })
const answered = async (target: DeployedWorkload, from: DeployedWorkload): Promise<string | undefined> =>
  (await tryFlows(from.pod, '0', [{ host: target.podAddress, port: 8080, http: { method: 'GET', path: '/' } }]))[0]
    ?.kind

test('pods that come later are meant by the policies that are there, in L7 rules as well', async () => {
  const [l4, l7] = [await lab.deploy('cilium', 'http-echo'), await lab.deploy('cilium', 'http-echo')]
  const from = (app: string): object => ({ fromEndpoints: [{ matchLabels: { app } }] })
  const mixed = { ingress: [{ fromEntities: ['all'] }], ingressDeny: [from('late-evil')] }
  await lab.enforce('cilium', [l4], policy('all-but-evil', mixed))
  const http = { ingress: [fromApp('late-good', { rules: { http: [{ method: 'GET' }] } })] }
  await lab.enforce('cilium', [l7], policy('http-good', http))
  const [evil, good] = await Promise.all([deployAs('late-evil'), deployAs('late-good')])
  expect([await answered(l4, evil), await answered(l4, good)]).toEqual(['silent', 'answered'])
  expect([await answered(l7, evil), await answered(l7, good)]).toEqual(['silent', 'answered'])
  for (const pod of [l4, l7, evil, good]) pod.remove()
  await lab.refreshPolicies('cilium')
  expect(ebpfGroups.list(run())).toEqual([])
})

test('one of two pods gets a policy of its own: the other stays under theirs', async () => {
  const pods = [await lab.deploy('cilium', 'http-echo'), await lab.deploy('cilium', 'http-echo')] as const
  await lab.enforce('cilium', [...pods], policy('both-client', { ingress: [fromApp('client')] }))
  await lab.enforce('cilium', [pods[0]], policy('one-stranger', { ingress: [fromApp('stranger')] }))
  expect(await seen(pods[0])).toEqual({ client: 'silent', stranger: '200', outside: 'silent' })
  expect(await seen(pods[1])).toEqual({ client: '200', stranger: 'silent', outside: 'silent' })
  for (const pod of pods) pod.remove()
  await lab.refreshPolicies('cilium')
})

test('drops are those since the policy is in force, whoever had the numbers of its rules before', async () => {
  const target = await lab.deploy('cilium', 'http-echo')
  const denying = { ingress: [{ fromEntities: ['all'] }], ingressDeny: [fromApp('stranger')] }
  await lab.enforce('cilium', [target], policy('denying', denying))
  expect((await seen(target))['stranger']).toBe('silent')
  const next = await lab.enforce('cilium', [target], policy('denying-again', denying))
  expect(await drops(next)).toEqual([])
  expect((await seen(target))['stranger']).toBe('silent')
  expect(await drops(next)).not.toEqual([])
  target.remove()
  await lab.refreshPolicies('cilium')
})

test('with its Envoy gone, L7 flows fail closed and L3/L4 goes on', async () => {
  const [l7, l4] = [await lab.deploy('cilium', 'http-echo'), await lab.deploy('cilium', 'http-echo')]
  await lab.enforce('cilium', [l4], policy('l3-l4', { ingress: [fromApp('client')] }))
  await lab.enforce(
    'cilium',
    [l7],
    policy('l7', { ingress: [fromApp('client', { rules: { http: [{ method: 'GET' }] } })] }),
  )
  expect(await seen(l7)).toMatchObject({ client: '200' })
  process.kill(readEbpfState(run()).proxy?.pid ?? -1, 'SIGKILL')
  await expect.poll(() => l7.failure()).toMatch(/^the node's Envoy \(pid \d+\)/)
  expect(await seen(l7)).toMatchObject({ client: 'silent' })
  expect(await seen(l4)).toEqual({ client: '200', stranger: 'silent', outside: 'silent' })
  l7.remove()
  l4.remove()
})

test("the loader's end fails the workloads, and lets nothing through that it would have stopped", async () => {
  const target = await lab.deploy('cilium', 'http-echo')
  await lab.enforce('cilium', [target], policy('l3-l4', { ingress: [fromApp('client')] }))
  await (await datapathClient(run())).request('maps', {})
  process.kill(readEbpfState(run()).loader.pid, 'SIGKILL')
  await expect.poll(() => target.failure()).toMatch(/^the data path's loader \(pid \d+\)/)
  expect(await seen(target)).toMatchObject({ stranger: 'silent', outside: 'silent' })
  await expect(lab.deploy('cilium', 'http-echo')).rejects.toThrow("the data path's loader")
  target.remove()
})

test('nothing is left', () => {
  handle.down()
  expect(leftovers(handle.runId)).toEqual([])
})
