import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askAdmin, sumStats } from './envoy/admin.ts'
import { adminSocket } from './envoy/sidecar.ts'
import { openLab, upLab } from './index.ts'
import type { Lab, LabHandle } from './index.ts'
import { clientDirectory } from './mesh/istio.ts'
import { listNamespaces, processesIn } from './namespaces.ts'
import { leftovers } from './testing/leftovers.ts'
import { startProgram } from './testing/program.ts'

let handle: LabHandle
let lab: Lab
beforeAll(async () => {
  handle = await upLab({ waitMs: 500_000 }, () => {})
  await Promise.all([handle.upMesh('baseline'), handle.upMesh('istio')])
  lab = openLab(handle.runDir)
}, 510_000)
afterAll(() => handle.down())

/** Status and body that a program in a pod gets, or how its curl ended. */
async function curl(
  from: 'client' | 'stranger',
  target: { host: string; port: number },
  ...more: string[]
): Promise<string> {
  const run = lab
    .pod(from)
    .run(['curl', '-s', '-m', '3', '-w', ' %{http_code}', ...more, `http://${target.host}:${target.port}/`])
  let output = ''
  run.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = await run.ended
  return ended === 'curl ended with exit code 0' ? output : ended
}

test('the echo workload answers through each mesh, and a removed one leaves nothing', async () => {
  const before = listNamespaces(handle.runId)
  for (const mesh of ['baseline', 'istio'] as const) {
    const target = await lab.deploy(mesh, 'http-echo')
    expect(await curl('client', target)).toBe('ok\n 200')
    expect(await curl('client', target, '--data', 'hello')).toBe('hello 200')
    expect(target.failure()).toBeUndefined()
    const namespace = `mm-${handle.runId}-p`
    const pids = processesIn(
      listNamespaces(handle.runId)
        .map(({ name }) => name)
        .filter((name) => name.startsWith(namespace)),
    )
    expect(pids).toHaveLength(mesh === 'istio' ? 2 : 1)
    target.remove()
    target.remove()
    expect(listNamespaces(handle.runId)).toEqual(before)
    expect(pids.filter((pid) => existsSync(`/proc/${pid}/exe`))).toEqual([])
    expect(existsSync(target.podDir)).toBe(false)
    expect(await curl('client', target)).toMatch(/exit code (7|28)| 503$/)
  }
})

test('two workloads of one mesh are two pods with addresses of their own, and say what parity needs', async () => {
  const [a, b] = await Promise.all([lab.deploy('baseline', 'http-echo'), lab.deploy('istio', 'http-echo')])
  expect(a.host).not.toBe(b.host)
  expect(
    [a, b].map(({ workload, mesh, standIn, protocol, port, sidecars }) => ({
      workload,
      mesh,
      standIn,
      protocol,
      port,
      sidecars,
    })),
  ).toEqual([
    { workload: 'http-echo', mesh: 'baseline', standIn: false, protocol: 'http/1.1', port: 8080, sidecars: 0 },
    { workload: 'http-echo', mesh: 'istio', standIn: true, protocol: 'http/1.1', port: 8080, sidecars: 2 },
  ])
  expect(b.traits).toEqual({
    replicas: 1,
    'client cpus': lab.describe().cpuSets.client,
    'server cpus': lab.describe().cpuSets.server,
    'proxy workers': 1,
    mTLS: 'STRICT',
    'http protocol': 'http/1.1',
    placement: 'one node',
  })
  a.remove()
  b.remove()
})

test('each side runs on its own CPU', async () => {
  const target = await lab.deploy('istio', 'http-echo')
  const { cpuSets } = lab.describe()
  const allowed = async (pids: readonly number[]) =>
    Promise.all(pids.map(async (pid) => (await execa('taskset', ['-cp', String(pid)])).stdout.split(': ')[1]))
  const inPlace = (place: RegExp) =>
    processesIn(
      listNamespaces(handle.runId)
        .map(({ name }) => name)
        .filter((name) => place.test(name)),
    )
  expect(new Set(await allowed(inPlace(/-p\d+$/)))).toEqual(new Set([cpuSets.server]))
  expect(new Set(await allowed(inPlace(/-client$/)))).toEqual(new Set([cpuSets.client]))
  target.remove()
})

test("mutual TLS between the proxies is STRICT: plaintext from a stranger fails, the keys are the proxy's alone", async () => {
  const target = await lab.deploy('istio', 'http-echo')
  const server = adminSocket(target.podDir)
  const handshakes = (socket: string) => sumStats(socket, String.raw`ssl\.handshake$`)
  const before = await handshakes(server)
  expect(await curl('client', target)).toBe('ok\n 200')
  expect(await handshakes(server)).toBe(before + 1)
  expect(await handshakes(adminSocket(clientDirectory({ dir: handle.runDir })))).toBeGreaterThan(0)

  expect(await curl('stranger', target)).toBe('curl ended with exit code 56')
  // Nor past the service address, on any port of the pod.
  expect(await curl('stranger', { host: target.podAddress, port: target.port })).toBe('curl ended with exit code 56')
  expect(await curl('stranger', { host: target.podAddress, port: 9 })).toBe('curl ended with exit code 56')
  // TLS without a certificate of the run's authority is refused as well.
  const tls = lab.pod('stranger').run(['curl', '-sk', '-m', '3', `https://${target.host}:${target.port}/`])
  expect(await tls.ended).toMatch(/exit code [1-9]\d*$/)

  const proxy = statSync(join(target.podDir, 'proxy'))
  const key = statSync(join(target.podDir, 'proxy', 'key.pem'))
  expect([proxy.uid, proxy.mode & 0o777, key.uid, key.mode & 0o777]).toEqual([1337, 0o700, 1337, 0o400])
  const certificate = await execa('openssl', [
    'x509',
    '-in',
    join(target.podDir, 'proxy', 'cert.pem'),
    '-noout',
    '-ext',
    'subjectAltName',
  ])
  expect(certificate.stdout).toContain('URI:spiffe://cluster.local/ns/meshmark/sa/http-echo')
  target.remove()
})

test("both proxies manage HTTP, with one worker each, and the app sees the caller's identity", async () => {
  const target = await lab.deploy('istio', {
    command: [
      'node',
      '-e',
      'require("http").createServer((q, s) => s.end(JSON.stringify(q.headers))).listen(process.env.PORT)',
    ],
    port: 3000,
  })
  const [body] = (await curl('client', target)).split(/ (?=\d+$)/)
  expect(JSON.parse(body ?? '')).toMatchObject({
    'x-envoy-attempt-count': '1',
    'x-forwarded-client-cert': expect.stringContaining('URI=spiffe://cluster.local/ns/meshmark/sa/client'),
    'x-request-id': expect.any(String),
  })
  for (const podDir of [target.podDir, clientDirectory({ dir: handle.runDir })]) {
    const info = await askAdmin(adminSocket(podDir), '/server_info')
    expect(JSON.parse(info?.body ?? '{}')).toMatchObject({
      state: 'LIVE',
      command_line_options: { concurrency: 1, disable_hot_restart: true },
    })
  }
  target.remove()
})

test("CPU is read by component, in well under a millisecond, and includes the children of the user's server", async () => {
  const spin =
    'const { spawn } = require("child_process"); spawn(process.execPath, ["-e", "for (;;);"]); require("http").createServer((q, s) => s.end("x")).listen(3000)'
  const target = await lab.deploy('istio', { command: ['node', '-e', spin], port: 3000 })
  target.readMemory()
  const before = target.readCpu()
  const startedAt = performance.now()
  const times: number[] = []
  while (performance.now() - startedAt < 400) {
    const start = performance.now()
    target.readCpu()
    times.push(performance.now() - start)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const after = target.readCpu()
  const usedMs = (read: readonly { cpuNs: number }[], index: number) => (read[index]?.cpuNs ?? 0) / 1e6
  expect(after.map(({ component, processes }) => ({ component, processes }))).toEqual([
    { component: 'app', processes: 2 },
    { component: 'sidecar', processes: 2 },
  ])
  // The child spins; others share its CPU.
  expect(usedMs(after, 0) - usedMs(before, 0)).toBeGreaterThan(50)
  // The median: a busy machine interrupts single readings.
  expect(times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]).toBeLessThan(1)
  expect(target.readMemory().map(({ bytes }) => bytes > 20_000_000)).toEqual([true, true])
  target.remove()
})

test('failure() says which process of the path has ended, and what it last wrote', async () => {
  const crash = 'require("http").createServer(() => { console.error("out of cheese"); process.exit(3) }).listen(3000)'
  const server = await lab.deploy('baseline', { command: ['node', '-e', crash], port: 3000 })
  await curl('client', server)
  await expect
    .poll(() => server.failure())
    .toMatch(/^node \(pid \d+\) ended with exit code 3; its last lines: out of cheese$/)
  server.remove()

  const target = await lab.deploy('istio', 'http-echo')
  const other = await lab.deploy('istio', 'http-echo')
  const namespace = `mm-${handle.runId}-${basename(target.podDir)}`
  const proxies = processesIn([namespace]).filter((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'envoy\n')
  expect(proxies).toHaveLength(1)
  for (const pid of proxies) process.kill(pid, 'SIGKILL')
  await expect.poll(() => target.failure()).toMatch(/^Envoy of pod p\d+ \(pid \d+\) was ended by SIGKILL/)
  expect(other.failure()).toBeUndefined()
  target.remove()
  other.remove()
})

test('a program in a pod has its streams, and dies on kill()', async () => {
  const cat = lab.pod('client').run(['cat'])
  let output = ''
  cat.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  cat.stdin.write('through the pipe')
  await expect.poll(() => output).toBe('through the pipe')
  cat.kill()
  expect(await cat.ended).toBe('cat was ended by SIGKILL')
})

test('a worker that is killed takes its agent with it; its workload stays until the lab goes down', async () => {
  const worker = startProgram('hold-workload', [handle.runDir])
  const [agent = '', host = '', port = ''] = (await worker.line('')).split(' ')
  await expect.poll(() => readFileSync(`/proc/${agent}/comm`, 'utf8')).toBe('sleep\n')
  await worker.kill()
  await expect.poll(() => existsSync(`/proc/${agent}/exe`)).toBe(false)
  expect(await curl('client', { host, port: Number(port) })).toBe('ok\n 200')
})

test('baseline traffic of the client pod is not tracked there: it does not pay for the redirect of istio', async () => {
  const target = await lab.deploy('baseline', 'http-echo')
  const tracked = async () => {
    const run = lab.pod('client').run(['sysctl', '-n', 'net.netfilter.nf_conntrack_count'])
    let output = ''
    run.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    await run.ended
    return Number(output)
  }
  const before = await tracked()
  for (let request = 0; request < 5; request++) expect(await curl('client', target)).toBe('ok\n 200')
  // Others may have expired meanwhile.
  expect(await tracked()).toBeLessThanOrEqual(before)
  target.remove()
})

test('more connections than ports, one for each request: closed ones are used again', { timeout: 60_000 }, async () => {
  const target = await lab.deploy('baseline', 'http-echo')
  // With 6,000 ports instead of 64,000 the point comes sooner; the real range is put back.
  const range = (ports: string) =>
    lab.pod('client').run(['sysctl', '-q', '-w', `net.ipv4.ip_local_port_range=${ports}`]).ended
  await range('20000 25999')
  const requests = `
    const http = require('http'), agent = new http.Agent({ maxSockets: 4 }), outcomes = {}
    let left = 12000, open = 0
    const note = (what) => { outcomes[what] = (outcomes[what] ?? 0) + 1; open--; next() }
    const next = () => { if (left-- > 0) { open++; http.get({ host: '${target.host}', port: ${target.port}, agent, headers: { connection: 'close' } }, (r) => r.resume().on('end', () => note(r.statusCode))).on('error', (e) => note(e.code)) } else if (!open) console.log(JSON.stringify(outcomes)) }
    for (let i = 0; i < 4; i++) next()`
  const run = target.runInClient(['node', '-e', requests])
  let output = ''
  run.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await run.ended
  await range('1024 65535')
  expect(JSON.parse(output)).toEqual({ 200: 12_000 })
  target.remove()
})

test('the description names machine, CPU sets, Envoy and meshes', () => {
  const { kind, cpuSets, envoy, meshes } = lab.describe()
  expect({ kind, cpuSets, envoy }).toEqual({ kind: 'lab', cpuSets: { client: '0', server: '1' }, envoy: '1.40.0' })
  expect(meshes.map(({ name, standIn, mtls }) => ({ name, standIn, mtls }))).toEqual([
    { name: 'baseline', standIn: false, mtls: false },
    { name: 'istio', standIn: true, mtls: true },
  ])
})

test("the client's proxy dying fails the workloads that it carries, and the next deploy", async () => {
  const target = await lab.deploy('istio', 'http-echo')
  const baseline = await lab.deploy('baseline', 'http-echo')
  for (const pid of processesIn([`mm-${handle.runId}-client`])) process.kill(pid, 'SIGKILL')
  await expect.poll(() => target.failure()).toMatch(/^Envoy of pod client \(pid \d+\) has ended/)
  expect(baseline.failure()).toBeUndefined()
  await expect(lab.deploy('istio', 'http-echo')).rejects.toThrow('Envoy of pod client')
  target.remove()
  baseline.remove()
})

test('an aborted deploy leaves nothing', async () => {
  const before = listNamespaces(handle.runId)
  const aborter = new AbortController()
  const deploying = lab.deploy('baseline', { command: ['sleep', '60'], port: 3000 }, { signal: aborter.signal })
  setTimeout(() => aborter.abort(new Error('enough')), 50)
  await expect(deploying).rejects.toThrow('enough')
  expect(listNamespaces(handle.runId)).toEqual(before)
})

test('down() takes everything away within a second, with workloads up; a second call does nothing', async () => {
  await Promise.all([lab.deploy('baseline', 'http-echo'), lab.deploy('baseline', 'http-echo')])
  const start = performance.now()
  handle.down()
  expect(performance.now() - start).toBeLessThan(1000)
  handle.down()
  expect(leftovers(handle.runId)).toEqual([])
  expect(() => openLab(handle.runDir)).toThrow('There is no lab in')
})
