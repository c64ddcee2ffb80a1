/**
 * What the latency, drop and connection probes cost a request. By the kernel's statistics: each program, and programs that do nothing in
 * its place (being called, and being timed by two looks at the clock, is what a run of those costs). Their bodies by pairs: one of two equal
 * arms is watched (its service and pod addresses are the targets), the other's packets only find that they are nobody's. The bare
 * attachment, which every packet on the machine pays, by pairs of blocks with and without.
 * `npm run bench:probes -- --seconds 30 --attachment 120 --rounds 3`
 */
import { setTimeout as delay } from 'node:timers/promises'
import { overheadOf } from '../../measure/provider/overheads.ts'
import { signedRankInterval, walshAverages } from '../../measure/statistics/hodges-lehmann.ts'
import { median, quantile } from '../../measure/statistics/quantile.ts'
import { ProbeClient } from '../../probes/client/probe-client.ts'
import type { ProbeReport } from '../../probes/client/probe-report.ts'
import { type DeployedWorkload, findProbeProgram, type Lab } from '../../setup/lab/index.ts'
import { arm, measure, withLab } from './lab-arms.ts'
import { numberOptions } from './options.ts'

const PODS = 4
const { seconds, attachment: attachmentSeconds, rounds } = numberOptions({ seconds: 30, attachment: 120, rounds: 3 })
const program = findProbeProgram('meshmark-probe')
const ALL = ['latency', 'drops', 'connections'] as const
/** Of the figures by program. */
const WINDOW = '2s'
/** After programs were attached or detached, before the block. */
const SETTLE_MS = 50

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
    const overhead = overheadOf(measured.blocks, 'watched', 'unwatched', 'p50')
    console.log(`bodies of ${probes.join(', ')}, both ends: ${inWords(overhead)}`)
  }
  for (const pod of [...watched, ...unwatched]) pod.remove()
}

function inWords({ differenceUs, differenceLowUs, differenceHighUs, relative }: ReturnType<typeof overheadOf>): string {
  const figures = [differenceUs, differenceLowUs, differenceHighUs]
  if (relative === null || figures.some((figure) => figure === null || !Number.isFinite(figure)))
    return `${seconds} s are too short to say`
  const [difference, low, high] = figures.map((figure) => figure?.toFixed(2))
  return `${difference} µs a request [${low}, ${high}], ${(relative * 100).toFixed(2)} % of p50`
}

/**
 * Median latency of an arm, with the probes attached to nothing of its and without, in turns of one block: on, off, off, on. The blocks of
 * a pair are a second apart, so that what changes slowly in the machine hits both. In every block a program has just attached the probes;
 * in one of the two it is still there.
 */
async function attachment(lab: Lab): Promise<void> {
  // One, so that all blocks have the same.
  const pod = await lab.deploy('baseline', 'http-echo')
  const options = { precision: '0.0001%', cap: `${attachmentSeconds}s` }
  const isOn = (block: number): boolean => block % 4 === 0 || block % 4 === 3
  let client: ProbeClient | undefined
  const measured = await measure([arm(lab, 'a', [pod], options)], 'attachment', async (block) => {
    await client?.[Symbol.asyncDispose]()
    client = await ProbeClient.attach({ program, probes: ALL, targets: ['nobody=address:203.0.113.250:9'] })
    await client.countCost(false)
    if (!isOn(block)) await client[Symbol.asyncDispose]()
    await delay(SETTLE_MS)
  }).finally(async () => await client?.[Symbol.asyncDispose]())
  const p50 = new Map(
    measured.blocks.blocks.flatMap(({ index, invalid, arms }) =>
      invalid === null ? [[index, median([...(arms.get('a')?.latencyUs ?? [])])] as const] : [],
    ),
  )
  const differences: number[] = []
  for (const first of p50.keys()) {
    const [one, other] = [p50.get(first), p50.get(first + 1)]
    if (first % 2 !== 0 || one === undefined || other === undefined) continue
    differences.push(isOn(first) ? one - other : other - one)
  }
  const averages = walshAverages(differences)
  const { low, high } = signedRankInterval(averages, differences.length, 0.025)
  console.log(
    `bare attachment, ${differences.length} pairs of blocks with and without: ${quantile(averages, 0.5).toFixed(2)} µs a request [${low.toFixed(2)}, ${high.toFixed(2)}], of ${median([...p50.values()]).toFixed(1)} µs`,
  )
  pod.remove()
}

await withLab(async (lab) => {
  await programs(lab)
  await bodies(lab)
  await attachment(lab)
})
