/** What breaks under a measurement: each fails its test with what died and in which arm, ends the run, and leaves nothing. */
import { beforeAll, describe, expect, test } from 'vitest'
import { leftoversOf, type RunOnMachine, runOf } from './harness/lab-on-machine.ts'
import { validRecord } from './harness/record.ts'
import { benchFolder, type BenchRun } from './harness/run-bench.ts'
import { configuration } from './harness/sources.ts'
import { whatWentWrong } from './harness/what-went-wrong.ts'

interface Fault {
  /** Expression: the workload that the mesh's arm measures. */
  workload: string
  /** Code that runs 2.5 s after the measuring began. */
  meanwhile?: string
  message: RegExp
}

const ECHO = `'http-echo', { replicas: 1 }`
const served = (code: string): string =>
  `{ command: ['node', '-e', ${JSON.stringify(code)}], port: 3000 }, { replicas: 1 }`
const http = (answer: string): string =>
  `let n = 0; require('http').createServer((q, s) => { n++; ${answer} }).listen(3000)`

const FAULTS: Record<string, Fault> = {
  'a server that answers 500 to everything': {
    workload: served(http('s.statusCode = 500; s.end()')),
    message:
      /^Error: "istio" answered 500 to GET \/: only served requests can be measured\. Check the path, or what the mesh denies\./,
  },
  'a server that answers 500 after its first request': {
    workload: served(http('s.statusCode = n > 1 ? 500 : 200; s.end()')),
    message:
      /^Error: "istio" failed 3 blocks in a row, the last with: \d+ of \d+ requests were not served\. Nothing can be measured on a path that does not serve\./,
  },
  'a server that never answers': {
    workload: served(http('')),
    message: /^Error: "istio" can't be reached: 10\.97\.\d+\.\d+:3000: no answer within 10 s/,
  },
  'a server that dies in the middle of a block': {
    workload: served(http(`s.end('ok')`)),
    meanwhile: `killAll((command) => command.includes('createServer'))`,
    message: /^Error: "istio"(?:, in block \d+)?: node \(pid \d+\) was ended by SIGKILL, having written nothing/,
  },
  'a server that crashes by itself': {
    workload: served(http(`if (n > 2000) throw new Error('out of cheese'); s.end('ok')`)),
    message:
      /^Error: "istio"(?:, in block \d+)?: node \(pid \d+\) ended with exit code 1; its last lines: Error: out of cheese/,
  },
  "the server's proxy that dies": {
    workload: ECHO,
    meanwhile: `killAll((command) => /envoy --config-path \\S+\\/pods\\/p\\d+\\//.test(command))`,
    message: /^Error: "istio"(?:, in block \d+)?: Envoy of pod p\d+ \(pid \d+\) was ended by SIGKILL/,
  },
  'the load agent that dies': {
    workload: ECHO,
    meanwhile: `killAll((command) => command.endsWith('meshmark/dist/agent.js'))`,
    message: /^Error: the load agent ended: \S*node was ended by SIGKILL/,
  },
  // Last: no workload of istio comes up after it.
  "the client's proxy that dies": {
    workload: ECHO,
    meanwhile: `killAll((command) => /envoy --config-path \\S+\\/pods\\/client\\//.test(command))`,
    message: /^Error: "istio"(?:, in block \d+)?: Envoy of pod client \(pid \d+\) has ended/,
  },
  'a mesh whose proxy is dead': {
    workload: ECHO,
    message: /^LabError: Envoy of pod client \(pid \d+\) has ended/,
  },
}

const SPEC = `
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'meshmark/test'
import { inject } from 'vitest'

const read = (file) => { try { return readFileSync(file, 'latin1') } catch { return '' } }

/** Kills programs of this run's lab. */
function killAll(wanted) {
  const { runId } = inject('meshmarkRun')
  const pids = readdirSync('/proc').filter((name) => /^\\d+$/.test(name))
    .filter((pid) => read('/proc/' + pid + '/environ').includes('MESHMARK_POD=' + runId + '/'))
    .filter((pid) => wanted(read('/proc/' + pid + '/cmdline').replaceAll('\\0', ' ').trim()))
  if (pids.length === 0) process.stderr.write('there is nothing to kill\\n')
  for (const pid of pids) process.kill(Number(pid), 'SIGKILL')
}

const options = { cap: '20s' }
${Object.entries(FAULTS)
  .map(
    ([name, { workload, meanwhile }]) => `
test(${JSON.stringify(name)}, async ({ mesh, baseline, load, bench, onTestFinished }) => {
  const plain = load.http(await baseline.workload('http-echo', { replicas: 1 }), options)
  const meshed = load.http(await mesh.workload(${workload}), options)
  ${meanwhile === undefined ? '' : `const timer = setTimeout(() => ${meanwhile}, 2500)\n  onTestFinished(() => clearTimeout(timer))`}
  await bench.compare(bench('baseline', plain), bench(mesh.arm, meshed))
})`,
  )
  .join('\n')}
`

describe('a fault while it measures', () => {
  let run: BenchRun
  let lab: RunOnMachine
  let results: { title: string; status: string; failureMessages: string[] }[]

  beforeAll(async () => {
    await using folder = await benchFolder({
      // Without the gate: what broke is red in itself.
      'vitest.config.ts': configuration('{ gate: false }'),
      'faults.bench.ts': SPEC,
    })
    const bench = folder.start({
      args: ['--project', 'istio', '--reporter=default', '--reporter=json', '--outputFile.json=results.json'],
      timeoutMs: 170_000,
    })
    lab = await runOf(bench.child)
    run = await bench.finished
    const json = JSON.parse(await folder.read('results.json')) as {
      testResults: { assertionResults: typeof results }[]
    }
    results = json.testResults.flatMap(({ assertionResults }) => assertionResults)
  })

  test.for(Object.entries(FAULTS))('%s', ([name, { message }]) => {
    const result = results.find(({ title }) => title === name)
    expect(result?.status).toBe('failed')
    expect(result?.failureMessages[0]).toMatch(message)
  })

  test('ends the run with exit code 1 and no comparison, and leaves nothing', () => {
    expect({ exitCode: run.exitCode, timedOut: run.timedOut }, whatWentWrong(run)).toEqual({
      exitCode: 1,
      timedOut: false,
    })
    expect(run.stderr).not.toContain('there is nothing to kill')
    const record = validRecord(run.record)
    expect(record.comparisons).toEqual([])
    expect(record.run).toMatchObject({
      reason: 'failed',
      problems: [`istio: no comparison: its ${Object.keys(FAULTS).length} tests failed before anything was measured`],
    })
    expect(leftoversOf(lab)).toEqual([])
  })
})
