/**
 * What the latency, drop and connection probes cost a request. By the kernel's statistics: each program, and programs that do nothing in
 * its place (being called, and being timed by two looks at the clock, is what a run of those costs). Their bodies by pairs: one of two equal
 * arms is watched (its service and pod addresses are the targets), the other's packets only find that they are nobody's. The bare
 * attachment, which every packet on the machine pays, by blocks with and without.
 * `npm run bench:probes -- --seconds 30 --blocks 12 --rounds 3`
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
const { seconds, blocks, rounds } = numberOptions({ seconds: 30, blocks: 12, rounds: 3 })
const program = findProbeProgram('meshmark-probe')
const ALL = ['latency', 'drops', 'connections'] as const
/** Of the figures by program. */
const WINDOW = '2s'

async function deploy(lab: Lab): Promise<DeployedWorkload[]> {
  return await Promise.all(Array.from({ length: PODS }, () => lab.deploy('baseline', 'http-echo')))
}

const watching = (pods: readonly DeployedWorkload[]): string[] =>
  pods.flatMap(({ host, port, podAddress, podPort }) => [
    `client=address:${host}:${port}`,
    `app=address:${podAddress}:${podPort}`,
  ])

/** Time per run of every program while one arm is driven, in windows that take turns; the median window of each. */
async function programs(lab: Lab): Promise<void> {
  const pods = await deploy(lab)
  const kinds = { latency: ['latency'], 'all three probes': ALL, 'programs that do nothing': ['latency'] } as const
  const reports = new Map<string, ProbeReport[]>()
  for (let round = 0; round < rounds; round++) {
    for (const [kind, probes] of Object.entries(kinds)) {
      const empty = kind === 'programs that do nothing'
      await using client = await ProbeClient.attach({ program, probes, targets: watching(pods), empty })
      await client.countCost(true)
      await client.reset()
      const options = { precision: '0.0001%', cap: WINDOW }
      await measure([arm(lab, 'a', pods, options), arm(lab, 'b', pods, options)], `programs/${kind}/${round}`)
      reports.set(kind, [...(reports.get(kind) ?? []), await client.snapshot()])
    }
  }
  for (const [kind, windows] of reports) print(kind, windows)
  for (const pod of pods) pod.remove()
}

function print(kind: string, windows: readonly ProbeReport[]): void {
  console.log(`${kind}, ns a run by the kernel's statistics (median of ${windows.length} windows, and the lowest):`)
  for (const { program: name, hook } of windows[0]?.cost.programs ?? []) {
    const figures = windows.flatMap(({ cost }) => cost.programs.find((each) => each.program === name)?.nsPerRun ?? [])
    if (figures.length === 0) continue
    console.log(
      `  ${hook.padEnd(16)} ${median(figures).toFixed(0).padStart(6)} ${Math.min(...figures)
        .toFixed(0)
        .padStart(6)}`,
    )
  }
  const together = windows.flatMap(({ cost }) => cost.nsPerRequest ?? [])
  const lost = windows.reduce((sum, each) => sum + Object.values(each.lost).reduce((all, one) => all + one, 0), 0)
  if (together.length === 0) return
  console.log(
    `  together ${median(together).toFixed(0)} ns a request, ${Math.min(...together).toFixed(0)} in the lowest window; ${((windows[0]?.cost.mapBytes ?? 0) / 1e6).toFixed(1)} MB of maps; ${lost} events lost`,
  )
}

/** Without the kernel's statistics, which cost more than the programs. */
async function bodies(lab: Lab): Promise<void> {
  const [watched, unwatched] = [await deploy(lab), await deploy(lab)]
  for (const probes of [['latency'], ALL] as const) {
    await using client = await ProbeClient.attach({ program, probes, targets: watching(watched) })
    await client.countCost(false)
    const options = { precision: '0.0001%', cap: `${seconds}s` }
    const measured = await measure(
      [arm(lab, 'unwatched', unwatched, options), arm(lab, 'watched', watched, options)],
      `bodies/${probes.join()}`,
    )
    const { differenceUs, differenceLowUs, differenceHighUs, relative } = overheadOf(
      measured.blocks,
      'watched',
      'unwatched',
      'p50',
    )
    console.log(
      `bodies of ${probes.join(', ')}, both ends: ${differenceUs?.toFixed(2)} µs a request [${differenceLowUs?.toFixed(2)}, ${differenceHighUs?.toFixed(2)}], ${((relative ?? Number.NaN) * 100).toFixed(2)} % of p50`,
    )
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
      await using _client = attached ? await ProbeClient.attach({ program, probes: ALL, targets }) : undefined
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
  await programs(lab)
  await bodies(lab)
  await attachment(lab)
})
