/**
 * What the latency, drop and connection probes cost a request. Their bodies by pairs: one of two equal arms is watched (its service and
 * pod addresses are the targets), the other's packets only find that they are nobody's. The bare attachment, which every packet on the
 * machine pays, by blocks with and without.
 * `npm run bench:probes -- --seconds 30 --blocks 12`
 */
import { overheadOf } from '../../measure/provider/overheads.ts'
import { mean, median } from '../../measure/statistics/quantile.ts'
import { studentUpperQuantile } from '../../measure/statistics/student-distribution.ts'
import { ProbeClient } from '../../probes/client/probe-client.ts'
import type { ProbeReport } from '../../probes/client/probe-report.ts'
import { type DeployedWorkload, findProbeProgram, type Lab } from '../../setup/lab/index.ts'
import { arm, measure, withLab } from './lab-arms.ts'
import { numberOptions } from './options.ts'

const PODS = 4
const BLOCK_CAP = '2s'
const { seconds, blocks } = numberOptions({ seconds: 30, blocks: 12 })
const program = findProbeProgram('meshmark-probe')
const probes = ['latency', 'drops', 'connections'] as const

async function deploy(lab: Lab): Promise<DeployedWorkload[]> {
  return await Promise.all(Array.from({ length: PODS }, () => lab.deploy('baseline', 'http-echo')))
}

function print({ cost, lost }: ProbeReport): void {
  for (const { program: name, runs, nsPerRun } of cost.programs) {
    if (runs > 0) console.log(`  ${name.padEnd(14)} ${String(runs).padStart(9)} runs  ${nsPerRun?.toFixed(0)} ns a run`)
  }
  console.log(
    `  together ${((cost.nsPerRequest ?? Number.NaN) / 1000).toFixed(2)} µs a request (about 40 ns of each run are the statistics'), ${(cost.mapBytes / 1e6).toFixed(1)} MB of maps, lost: ${JSON.stringify(lost)}`,
  )
}

/** The pairs twice: while the kernel counts the programs' time, for the figures by program, and while it does not, for the cost. */
async function bodies(lab: Lab): Promise<void> {
  const [watched, unwatched] = [await deploy(lab), await deploy(lab)]
  const targets = watched.flatMap(({ host, port, podAddress, podPort }) => [
    `client=address:${host}:${port}`,
    `app=address:${podAddress}:${podPort}`,
  ])
  await using client = await ProbeClient.attach({ program, probes, targets })
  for (const counted of [true, false]) {
    await client.countCost(counted)
    await client.reset()
    const options = { precision: '0.0001%', cap: `${seconds}s` }
    const measured = await measure(
      [arm(lab, 'unwatched', unwatched, options), arm(lab, 'watched', watched, options)],
      `probes/${counted}`,
    )
    const { differenceUs, differenceLowUs, differenceHighUs, relative } = overheadOf(
      measured.blocks,
      'watched',
      'unwatched',
      'p50',
    )
    console.log(
      `bodies, both ends, ${counted ? 'with' : 'without'} the kernel's statistics: ${differenceUs?.toFixed(2)} µs a request [${differenceLowUs?.toFixed(2)}, ${differenceHighUs?.toFixed(2)}], ${((relative ?? Number.NaN) * 100).toFixed(2)} % of p50`,
    )
    if (counted) print(await client.snapshot())
  }
  for (const pod of [...watched, ...unwatched]) pod.remove()
}

/** Median latency of two equal arms, with the probes attached to nothing of theirs and without, in turns. */
async function attachment(lab: Lab): Promise<void> {
  const [a, b] = [await deploy(lab), await deploy(lab)]
  const options = { precision: '0.0001%', cap: BLOCK_CAP }
  const p50 = async (seed: string): Promise<number> => {
    const measured = await measure([arm(lab, 'a', a, options), arm(lab, 'b', b, options)], seed)
    return median(
      measured.blocks.blocks.flatMap(({ arms }) => [...arms.values()].map(({ latencyUs }) => median([...latencyUs]))),
    )
  }
  const differences: number[] = []
  for (let block = 0; block < blocks; block++) {
    const figures = new Map<boolean, number>()
    for (const attached of block % 2 === 0 ? [true, false] : [false, true]) {
      const targets = ['nobody=address:203.0.113.250:9']
      await using _client = attached ? await ProbeClient.attach({ program, probes, targets }) : undefined
      if (attached) await _client?.countCost(false)
      figures.set(attached, await p50(`attachment/${block}/${attached}`))
    }
    differences.push((figures.get(true) ?? Number.NaN) - (figures.get(false) ?? Number.NaN))
  }
  const middle = mean(differences)
  const deviation = Math.sqrt(differences.reduce((sum, x) => sum + (x - middle) ** 2, 0) / (blocks - 1))
  const half = (studentUpperQuantile(0.025, blocks - 1) * deviation) / Math.sqrt(blocks)
  console.log(
    `bare attachment, ${blocks} blocks with and without: ${middle.toFixed(2)} µs a request ± ${half.toFixed(2)}`,
  )
  for (const pod of [...a, ...b]) pod.remove()
}

await withLab(async (lab) => {
  await bodies(lab)
  await attachment(lab)
})
