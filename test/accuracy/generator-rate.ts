/**
 * The open-loop plan against known truth: p50 and p99 must come within 5 % of what a simulated queue says of the same
 * arrivals and the server's own records; a stall of the server must be in p99 from the intended send time and not in the
 * service time. `npm run accuracy:rate -- --seconds 30 --rate 500 --connections 8 --window 3`
 */
import { fileURLToPath } from 'node:url'
import type { RawBlock } from '../../measure/provider/raw-block.ts'
import { median, quantile, sortedCopy } from '../../measure/statistics/quantile.ts'
import { createRandom } from '../../measure/statistics/random.ts'
import type { DeployedWorkload, Lab } from '../../setup/lab/index.ts'
import { inClientPod } from './client-program.ts'
import { type PathRecord, sliceRecord } from './delay-record.ts'
import { arm, measure, withLab } from './lab-arms.ts'
import { plannedSchedules, simulateWindow, type Truth } from './open-loop-truth.ts'
import { numberOptions } from './options.ts'

const MOST_ERROR = 0.05
const STALL_MS = 200
const PORT = 8080
const SEED = 'generator-rate'
const ARMS = ['steady', 'stalls'] as const
const { seconds, rate, connections, window } = numberOptions({ seconds: 30, rate: 500, connections: 8, window: 3 })
const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

async function reportOf(lab: Lab, pod: DeployedWorkload, path: string): Promise<PathRecord> {
  const url = `http://${pod.host}:${pod.port}/report?${path}`
  const program = `fetch(${JSON.stringify(url)}).then((answer) => answer.text()).then((text) => process.stdout.write(text))`
  return JSON.parse(await inClientPod(lab, ['node', '-e', program])) as PathRecord
}

/**
 * What a round trip takes besides the server's own time, from a client that is not the agent. The lowest tenth: the wire,
 * without the waiting for a CPU on a busy machine, which is no known truth.
 */
async function wireMs(lab: Lab, pod: DeployedWorkload): Promise<number> {
  const client = ['node', file('round-trip-client.ts'), pod.host, String(pod.port), '/wire', '600']
  const roundTrips = JSON.parse(await inClientPod(lab, client)) as number[]
  const { arrivedMs, answeredMs } = await reportOf(lab, pod, '/wire')
  const wire = roundTrips.map((tookMs, i) => tookMs - ((answeredMs[i] ?? Number.NaN) - (arrivedMs[i] ?? Number.NaN)))
  return quantile(sortedCopy(wire), 0.1)
}

/** The truth of the measured blocks of one arm: what was asked before them (first request, warm-up) is counted off. */
function truthOf(record: PathRecord, blocks: readonly RawBlock[], wire: number): Truth {
  const schedules: number[][] = []
  let requests = 1
  const plan = { ratePerS: rate, windowMs: window * 1000, arms: ARMS.length }
  for (const schedule of plannedSchedules(createRandom(SEED), plan)) {
    if (requests >= record.arrivedMs.length) break
    requests += schedule.length
    schedules.push(schedule)
  }
  const measured = schedules.slice(-blocks.length)
  if (requests !== record.arrivedMs.length || measured.some((schedule, i) => schedule.length !== blocks[i]?.rounds)) {
    throw new Error(`the agent did not send what was planned: ${record.arrivedMs.length} requests, planned ${requests}`)
  }
  let from = requests - measured.reduce((sum, schedule) => sum + schedule.length, 0)
  const windows = measured.map((schedule) => {
    const slice = sliceRecord(record, from, (from += schedule.length))
    return simulateWindow(schedule, slice, { connections, wireMs: wire })
  })
  return {
    latencyMs: windows.flatMap((truth) => truth.latencyMs),
    serviceMs: windows.flatMap((truth) => truth.serviceMs),
  }
}

function measuredOf(blocks: readonly RawBlock[], name: string): Truth {
  const ms = (of: 'latencyUs' | 'serviceUs'): number[] =>
    blocks.flatMap((block) => Array.from(block.arms.get(name)?.[of] ?? [], (us) => us / 1000))
  return { latencyMs: ms('latencyUs'), serviceMs: ms('serviceUs') }
}

let missed = 0
function judge(ok: boolean): string {
  if (!ok) missed++
  return ok ? 'ok' : 'MISSED'
}

const fixed = (value: number, width: number, digits = 3): string => value.toFixed(digits).padStart(width)

await withLab(async (lab) => {
  const command = ['node', file('delay-server.ts'), String(PORT), String(rate * window), String(STALL_MS)]
  const pod = await lab.deploy('baseline', { command, port: PORT })
  const wire = await wireMs(lab, pod)
  // A precision that is never reached: the run takes its whole time.
  const options = {
    plan: 'rate',
    rate,
    connections,
    block: `${window}s`,
    cap: `${seconds}s`,
    precision: '0.0001%',
  } as const
  const run = await measure(
    ARMS.map((name) => arm(lab, name, [pod], { ...options, path: `/${name}` })),
    SEED,
  )
  const { blocks } = run.blocks
  console.log(
    `${rate} requests/s on ${connections} connections, ${blocks.length} windows of ${window} s for each arm; the wire takes ${(wire * 1000).toFixed(0)} µs`,
  )
  console.log('arm      time from      quantile   truth ms   agent ms      off')
  for (const name of ARMS) {
    const truth = truthOf(await reportOf(lab, pod, `/${name}`), blocks, wire)
    const agent = measuredOf(blocks, name)
    for (const [of, from] of [
      ['latencyMs', 'intended send'],
      ['serviceMs', 'real send'],
    ] as const) {
      const [known, found] = [sortedCopy(truth[of]), sortedCopy(agent[of])]
      for (const q of [0.5, 0.99]) {
        const [wanted, got] = [quantile(known, q), quantile(found, q)]
        const error = got / wanted - 1
        console.log(
          `${name.padEnd(8)} ${from.padEnd(14)} p${String(q * 100).padEnd(7)} ${fixed(wanted, 10)} ${fixed(got, 10)} ${fixed(error * 100, 6, 2)} %  ${judge(Math.abs(error) <= MOST_ERROR)}`,
        )
      }
    }
    if (name !== 'stalls') continue
    const [latency, service] = [agent.latencyMs, agent.serviceMs].map((ms) => quantile(sortedCopy(ms), 0.99))
    const seen = (latency ?? 0) > STALL_MS / 2 && (service ?? Infinity) < STALL_MS / 4
    console.log(
      `a stall of ${STALL_MS} ms a window: p99 ${fixed(latency ?? Number.NaN, 1, 1)} ms from the intended send, ${fixed(service ?? Number.NaN, 1, 1)} ms from the real one  ${judge(seen)}`,
    )
  }
  printPacing(blocks)
})
process.exitCode = missed === 0 ? 0 : 1

/** Not judged: it is the machine's, too. Sent late, the steady arm's requests have a latency over their service time. */
function printPacing(blocks: readonly RawBlock[]): void {
  const { latencyMs, serviceMs } = measuredOf(blocks, 'steady')
  const lateUs = sortedCopy(latencyMs.map((ms, i) => (ms - (serviceMs[i] ?? Number.NaN)) * 1000))
  const quantiles = [0.5, 0.9, 0.99, 0.999].map((q) => `p${q * 100} ${quantile(lateUs, q).toFixed(0)}`)
  const p99s = blocks.map((block) => block.generator.pacingErrorP99Us ?? Number.NaN).toSorted((a, b) => a - b)
  const [cpu, waited] = (['cpuShare', 'runQueueWaitShare'] as const).map((share) =>
    median(blocks.map((block) => block.generator[share] * 100)).toFixed(1),
  )
  console.log(`sent after the intended time, steady arm, µs: ${quantiles.join(', ')}`)
  console.log(`p99 pacing error of each block, µs: ${p99s.map((us) => us.toFixed(0)).join(' ')}`)
  console.log(`the agent used ${cpu} % of its CPU and waited for it ${waited} % of the time (medians of blocks)`)
  for (const { index, invalid } of blocks) if (invalid !== null) console.log(`block ${index} is invalid: ${invalid}`)
}
