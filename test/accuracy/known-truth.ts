/**
 * Known truth: one arm's server spins 1, 2.5 and 10 % of a request longer and reports what it really spun. The intervals of
 * the difference must cover that, without bias; and 2.5 % against a budget of 1 % must be a `fail`.
 * `npm run accuracy:known-truth -- --runs 40 --seconds 8 --judged 40`
 */
import { loadavg } from 'node:os'
import { mean, median, quantile, sortedCopy } from '../../measure/statistics/quantile.ts'
import { decide } from '../../measure/statistics/outcome.ts'
import { overheadOf } from '../../measure/provider/overheads.ts'
import type { Overhead } from '../../measure/record.ts'
import { withLab } from './lab-arms.ts'
import { numberOptions } from './options.ts'
import { measureSpunArms } from './spun-arms.ts'

const LEVELS = [0.01, 0.025, 0.1]
const PLAIN_US = 2
const { runs, seconds, judged } = numberOptions({ runs: 40, seconds: 8, judged: 40 })

interface Run {
  readonly overhead: Overhead
  /** Median of what was really spun beyond the other arm's, µs. */
  readonly truthUs: number
  readonly referenceUs: number
}

async function run(spinUs: number, options: { precision: string; cap: string }, seed: string): Promise<Run> {
  // The plain arm spins as well, so that both arms run the same code: only the length differs.
  const spins = { plain: PLAIN_US, spinning: PLAIN_US + spinUs }
  const { blocks, spunUs } = await withLab((lab) => measureSpunArms(lab, spins, options, seed))
  const plain = blocks.blocks.map((block) => block.arms.get('plain')?.latencyUs ?? new Float64Array())
  return {
    overhead: overheadOf(blocks, 'spinning', 'plain', 'p50'),
    truthUs: (spunUs.get('spinning') ?? Number.NaN) - (spunUs.get('plain') ?? Number.NaN),
    referenceUs: median(plain.map((block) => quantile(sortedCopy(block), 0.5))),
  }
}

function load(): string {
  return (loadavg()[0] ?? Number.NaN).toFixed(1)
}

function percent(fraction: number | null): string {
  return fraction === null ? '–' : `${(fraction * 100).toFixed(2)} %`
}

const pilot = await run(1, { precision: '0.0001%', cap: '8s' }, 'pilot')
/** p50 of a request in the run before: it changes with what else the machine does. */
let requestUs = pilot.referenceUs
console.log(`a request takes ${requestUs.toFixed(1)} µs (p50)`)
let coveredInAll = 0
let intervals = 0
let worstBias = 0
for (const level of LEVELS) {
  const errors: number[] = []
  const widths: number[] = []
  let covered = 0
  for (let i = 0; i < runs; i++) {
    // A precision that is never reached: every run takes its whole time.
    const { overhead, truthUs, referenceUs } = await run(
      level * requestUs,
      { precision: '0.0001%', cap: `${seconds}s` },
      `truth/${level}/${i}`,
    )
    requestUs = referenceUs
    const { differenceUs, differenceLowUs: low, differenceHighUs: high } = overhead
    intervals++
    if (differenceUs === null || low === null || high === null) {
      console.log(`     no interval: ${overhead.unresolved}`)
      continue
    }
    errors.push(differenceUs - truthUs)
    widths.push((high - low) / 2)
    const covers = low <= truthUs && truthUs <= high
    if (covers) covered++
    console.log(
      `     p50 ${referenceUs.toFixed(1)} µs, spun ${truthUs.toFixed(3)}, measured ${differenceUs.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]${covers ? '' : ' missed'}; load ${load()}`,
    )
  }
  coveredInAll += covered
  const bias = errors.length === 0 ? Number.NaN : mean(errors)
  worstBias = Math.max(worstBias, Math.abs(bias))
  console.log(
    `+${level * 100} %: ${covered} of ${runs} intervals cover the truth; mean bias ${bias.toFixed(3)} µs; half-width median ${median(widths).toFixed(3)} µs`,
  )
}
let failed = 0
for (let i = 0; i < judged; i++) {
  const { overhead, referenceUs } = await run(0.025 * requestUs, { precision: '0.5%', cap: '30s' }, `judged/${i}`)
  requestUs = referenceUs
  const outcome = decide(overhead, { relative: 0.01 })
  if (outcome === 'fail') failed++
  console.log(
    `     2.5 % against 1 %: ${percent(overhead.relative)} [${percent(overhead.low)}, ${percent(overhead.high)}]  ${outcome}; load ${load()}`,
  )
}
console.log(`${coveredInAll} of ${intervals} intervals cover the truth; largest mean bias ${worstBias.toFixed(3)} µs`)
console.log(`2.5 % against a budget of 1 %: ${failed} of ${judged} runs fail`)
process.exitCode = coveredInAll >= 0.9 * intervals && worstBias <= 0.15 && failed >= 0.95 * judged ? 0 : 1
