import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLab, upLab } from './index.ts'
import type { Lab, LabHandle, LabMesh, WorkloadSpec } from './index.ts'
import { listNamespaces } from './namespaces.ts'

let handle: LabHandle
let lab: Lab
let project: string
beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'meshmark-project-'))
  handle = await upLab({ waitMs: 500_000, root: project }, () => {})
  await Promise.all([handle.upMesh('baseline'), handle.upMesh('istio')])
  lab = openLab(handle.runDir)
}, 510_000)
afterAll(() => {
  handle.down()
  rmSync(project, { recursive: true })
})

/** The error's message with what differs from run to run left out; nothing may be left of the attempt. */
async function refusal(spec: WorkloadSpec, mesh: LabMesh = 'baseline', readyTimeoutMs = 5000): Promise<string> {
  const before = listNamespaces(handle.runId)
  const error: unknown = await lab.deploy(mesh, spec, { readyTimeoutMs }).then(
    () => new Error('it was deployed'),
    (reason: unknown) => reason,
  )
  expect(listNamespaces(handle.runId)).toEqual(before)
  if (!(error instanceof Error)) throw new Error(`not an error: ${String(error)}`)
  return error.message
    .replaceAll(/pid \d+/g, 'pid 1')
    .replaceAll(handle.runDir, '<run>')
    .replaceAll(/pods\/p\d+/g, 'pods/p1')
    .replaceAll(project, '<project>')
}

const node = (code: string, port = 3000): WorkloadSpec => ({ command: ['node', '-e', code], port })

test('a server that ends before it listens', async () => {
  expect(await refusal(node('throw new Error("no database")'))).toMatchInlineSnapshot(
    `"node (pid 1) ended with exit code 1 before it listened on port 3000; its last lines: Error: no database. Fix the command or its environment."`,
  )
})

test('a program that does not exist', async () => {
  expect(await refusal({ command: ['no-such-server'], port: 3000 })).toMatchInlineSnapshot(
    `"no-such-server (pid 1) ended with exit code 127 before it listened on port 3000; its last lines: taskset: failed to execute no-such-server: No such file or directory. Fix the command or its environment."`,
  )
})

test('a server that listens on another port', async () => {
  expect(await refusal(node('require("http").createServer().listen(4000)'), 'baseline', 800)).toMatchInlineSnapshot(
    `"node (pid 1) did not listen on port 3000 within 0.8 s; it listens on 4000. Say that port in the workload, or let the server read $PORT."`,
  )
})

test('a server that listens on the loopback address only', async () => {
  expect(
    await refusal(node('require("http").createServer().listen(3000, "127.0.0.1")'), 'istio', 800),
  ).toMatchInlineSnapshot(
    `"node (pid 1) did not listen on port 3000 within 0.8 s but on the loopback address only, where no other pod reaches it. Let it listen on 0.0.0.0 (or "::")."`,
  )
})

test('a server that never listens', async () => {
  expect(await refusal(node('setInterval(() => {}, 1000)'), 'baseline', 300)).toMatchInlineSnapshot(
    `"node (pid 1) did not listen on port 3000 within 0.3 s, nor on any other, and has written nothing. Check that its port is 3000."`,
  )
})

test('a port that is already taken, and by what', async () => {
  const twice = `
    const { spawn } = require('child_process')
    const listen = 'require("http").createServer().listen(4000, () => process.send?.("up"))'
    spawn(process.execPath, ['-e', listen], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }).on('message', () => require('http').createServer().listen(4000))`
  expect(await refusal(node(twice))).toMatch(
    /^Port 4000 in the pod is already taken by node\S* \(pid 1\): node \(pid 1\) ended with exit code 1; its last lines: .*EADDRINUSE.*Listen on another port, or only once\.$/,
  )
})

test("the proxy's own ports, in the workload and taken by the server itself", async () => {
  expect(await refusal(node('0', 15_006), 'istio')).toMatchInlineSnapshot(
    `"The workload 0 can't have port 15006 in istio: ports 15000 to 15090 are the proxy's, as in Istio. Choose another."`,
  )
  // Only when the proxy has it: on a busy machine that takes a while.
  const behindTheProxy = `
    const { connect } = require('net')
    const listen = () => require('http').createServer().listen(15001)
    const wait = () => connect(15001).on('connect', listen).on('error', () => setTimeout(wait, 20))
    wait()`
  expect(await refusal(node(behindTheProxy), 'istio')).toMatch(
    /^Port 15001 in the pod is already taken by the mesh's proxy: node \(pid 1\) ended with exit code 1;/,
  )
})

test('a mesh that is not up, a workload that does not exist, a spec of the wrong form', async () => {
  const run = openLab(handle.runDir)
  const other = await upLabError()
  expect(other).toContain('two at once')
  await expect(run.deploy('baseline', 'no-such-echo')).rejects.toThrow('There is no workload "no-such-echo"')
  expect(await refusal('no-such-echo')).toMatch(
    /^There is no workload "no-such-echo": looked for <project>\/manifests\/workloads\/no-such-echo\.yaml and .*\/manifests\/workloads\/no-such-echo\.yaml\. Correct the name, or write that file \(a Deployment and a Service\)\.$/,
  )
  expect(await refusal({ command: [], port: 3000 })).toMatchInlineSnapshot(
    `"The workload's command is wrong: it names no program. It takes { command: ['node', 'server.js'], port: 3000 }, with env, cwd and protocol if needed."`,
  )
  expect(await refusal({ command: ['node'], port: 70_000 })).toMatchInlineSnapshot(
    `"The workload's port is wrong: ports are 1 to 65535. It takes { command: ['node', 'server.js'], port: 3000 }, with env, cwd and protocol if needed."`,
  )
})

async function upLabError(): Promise<string> {
  const error: unknown = await upLab({ waitMs: 0 }, () => {}).catch((reason: unknown) => reason)
  return error instanceof Error ? error.message : 'no error'
}

test("the user's own server runs in the project, with $PORT, without what Vitest put into the environment", async () => {
  writeFileSync(
    join(project, 'server.mjs'),
    `import { createServer } from 'node:http'
     const { PORT, VITEST, NODE_OPTIONS, NODE_ENV, GREETING } = process.env
     createServer((_, response) => response.end(JSON.stringify({ PORT, VITEST, NODE_OPTIONS, NODE_ENV, GREETING, exec: process.execPath }))).listen(PORT)`,
  )
  const target = await lab.deploy('istio', { command: ['node', 'server.mjs'], port: 3000, env: { GREETING: 'hello' } })
  expect(target.workload).toBe('server')
  const run = lab.pod('client').run(['curl', '-s', `http://${target.host}:3000/`])
  let output = ''
  run.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await run.ended
  expect(JSON.parse(output)).toEqual({ PORT: '3000', GREETING: 'hello', exec: process.execPath })
  target.remove()
})

test('without an Envoy the mesh does not come up, and says what to do; the lab goes down whole', async () => {
  handle.down()
  const bare = await upLab({ waitMs: 500_000, envoy: '/nowhere/envoy' }, () => {})
  try {
    await bare.upMesh('baseline')
    await expect(bare.upMesh('istio')).rejects.toThrow(
      'There is no Envoy at /nowhere/envoy (option envoy): correct the path, or leave it out to use PATH or /var/cache/meshmark/envoy-1.40.0/envoy',
    )
    await expect(openLab(bare.runDir).deploy('istio', 'http-echo')).rejects.toThrow(
      'The mesh "istio" is not up in this run: bring it up (upMesh) before a workload is deployed to it.',
    )
  } finally {
    bare.down()
  }
  expect(listNamespaces(bare.runId)).toEqual([])
}, 510_000)
