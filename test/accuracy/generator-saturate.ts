/**
 * The agent's throughput in plan `saturate` against autocannon's own command line: the same server, connections, client
 * pod, CPU and niceness; a fresh process each time, warmed up, the two in random order within each pair.
 * `npm run accuracy:saturate -- --pairs 24 --seconds 2 --connections 32`
 */
import { createRequire } from 'node:module'
import * as v from 'valibot'
import { estimateFromBlocks } from '../../measure/statistics/estimate.ts'
import { median } from '../../measure/statistics/quantile.ts'
import { createRandom } from '../../measure/statistics/random.ts'
import type { DeployedWorkload, Lab } from '../../setup/lab/index.ts'
import { inClientPod } from './client-program.ts'
import { arm, measure, withLab } from './lab-arms.ts'
import { numberOptions } from './options.ts'

/** A wider interval than this shows nothing. */
const MOST_HALF_WIDTH = 0.05
const { pairs, seconds, connections } = numberOptions({ pairs: 24, seconds: 2, connections: 32 })
const autocannon = createRequire(import.meta.url).resolve('autocannon')
const resultSchema = v.object({ requests: v.object({ average: v.number() }), errors: v.number(), non2xx: v.number() })

/** Requests/s as autocannon itself reports them. */
async function byAutocannon(lab: Lab, pod: DeployedWorkload): Promise<number> {
  const warmUp = ['--warmup', '[', '-c', String(connections), '-d', '1', ']']
  const options = ['-c', String(connections), '-d', String(seconds), '--json', '-n', ...warmUp]
  const text = await inClientPod(lab, ['node', autocannon, ...options, `http://${pod.host}:${pod.port}/`])
  // One line for the warm-up, one for what counts.
  const result = v.parse(resultSchema, JSON.parse(text.trimEnd().split('\n').at(-1) ?? ''))
  if (result.errors + result.non2xx > 0) throw new Error(`autocannon was not served: ${text}`)
  return result.requests.average
}

/** Requests/s as the agent reports them for one window of the same length; its warm-up takes a second or more, too. */
async function byAgent(lab: Lab, pod: DeployedWorkload, seed: string): Promise<number> {
  const options = { plan: 'saturate', connections, block: `${seconds}s`, cap: `${seconds}s` } as const
  const run = await measure([arm(lab, 'agent', [pod], options)], seed)
  return run.blocks.blocks[0]?.arms.get('agent')?.throughputPerS ?? Number.NaN
}

await withLab(async (lab) => {
  const pod = await lab.deploy('baseline', 'http-echo')
  const random = createRandom('generator-saturate')
  const found = { agent: [] as number[], autocannon: [] as number[] }
  const logRatios: number[] = []
  console.log('pair   autocannon req/s   agent req/s   ratio')
  for (let pair = 0; pair < pairs; pair++) {
    const order = random.shuffle(['agent', 'autocannon'] as ('agent' | 'autocannon')[])
    const perS = { agent: Number.NaN, autocannon: Number.NaN }
    for (const which of order) {
      perS[which] = which === 'agent' ? await byAgent(lab, pod, `saturate/${pair}`) : await byAutocannon(lab, pod)
      found[which].push(perS[which])
    }
    logRatios.push(Math.log(perS.agent / perS.autocannon))
    console.log(
      `${String(pair + 1).padStart(4)} ${perS.autocannon.toFixed(0).padStart(18)} ${perS.agent.toFixed(0).padStart(13)} ${(perS.agent / perS.autocannon).toFixed(3).padStart(7)}`,
    )
  }
  const estimate = estimateFromBlocks(logRatios, { looks: 1 })
  if (estimate.kind === 'refused') {
    console.log(estimate.message)
    process.exitCode = 1
    return
  }
  const [ratio, low, high] = [estimate.estimate, estimate.low, estimate.high].map((value) => Math.exp(value).toFixed(3))
  const ok = estimate.high >= 0 && (estimate.high - estimate.low) / 2 <= MOST_HALF_WIDTH
  console.log(
    `${connections} connections, ${pairs} pairs of ${seconds} s: autocannon ${median(found.autocannon).toFixed(0)} req/s, agent ${median(found.agent).toFixed(0)} req/s (medians); agent/autocannon ${ratio} [${low}, ${high}]  ${ok ? 'ok' : estimate.high < 0 ? 'MISSED' : 'NOT RESOLVED: too noisy, more pairs are needed'}`,
  )
  process.exitCode = ok ? 0 : 1
})
