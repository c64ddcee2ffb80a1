/**
 * A/A in the lab: two pods of the same workload, `--runs` times, each with fresh pods, as project `baseline` measures them.
 * `npm run accuracy:a-a -- --runs 60 --busy 1` has another process take a core meanwhile.
 */
import { spawn } from 'node:child_process'
import { loadavg } from 'node:os'
import { median } from '../../measure/statistics/quantile.ts'
import { decide } from '../../measure/statistics/outcome.ts'
import { overheadOf } from '../../measure/provider/overheads.ts'
import { arm, measure, withLab } from './lab-arms.ts'
import { numberOptions } from './options.ts'

const { runs, busy, precision, cap, budget, pods } = numberOptions({
  runs: 60,
  busy: 0,
  precision: 0.5,
  cap: 30,
  budget: 1,
  pods: 8,
})
const neighbours = Array.from({ length: busy }, () => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }))
process.on('exit', () => neighbours.forEach((neighbour) => neighbour.kill('SIGKILL')))

const outcomes = { pass: 0, fail: 0, inconclusive: 0 }
const halfWidths: number[] = []
const estimates: number[] = []
let covered = 0
for (let run = 0; run < runs; run++) {
  await withLab(async (lab) => {
    const deployed = await Promise.all(Array.from({ length: 2 * pods }, () => lab.deploy('baseline', 'http-echo')))
    try {
      const options = { precision: `${precision}%`, cap: `${cap}s` }
      const measured = await measure(
        [
          arm(lab, 'baseline', deployed.slice(0, pods), options),
          arm(lab, 'baseline again', deployed.slice(pods), options),
        ],
        `a-a/${run}`,
      )
      const overhead = overheadOf(measured.blocks, 'baseline again', 'baseline', 'p50')
      const outcome = decide(overhead, { relative: budget / 100 })
      outcomes[outcome]++
      const [relative = Number.NaN, low = Number.NaN, high = Number.NaN] = [
        overhead.relative,
        overhead.low,
        overhead.high,
      ].map((value) => (value ?? Number.NaN) * 100)
      halfWidths.push((high - low) / 2)
      estimates.push(relative)
      if (low <= 0 && high >= 0) covered++
      console.log(
        `${String(run + 1).padStart(3)}  p50 ${relative.toFixed(2)} % [${low.toFixed(2)}, ${high.toFixed(2)}]  ${outcome}  ${(measured.stopped.measuredMs / 1000).toFixed(1)} s, ${overhead.blocks} blocks, ${measured.stopped.reason}; load ${(loadavg()[0] ?? Number.NaN).toFixed(1)}`,
      )
    } finally {
      for (const pod of deployed) pod.remove()
    }
  })
}
for (const neighbour of neighbours) neighbour.kill('SIGKILL')
const sd = Math.sqrt(estimates.reduce((sum, x) => sum + x * x, 0) / estimates.length)
console.log(
  `${runs} runs, budget ${budget} %: ${outcomes.pass} pass, ${outcomes.fail} fail, ${outcomes.inconclusive} inconclusive; ` +
    `${covered} of ${runs} 95 % intervals hold 0; half-width median ${median(halfWidths).toFixed(2)} %, largest ${Math.max(...halfWidths).toFixed(2)} %; estimates' root mean square ${sd.toFixed(2)} %`,
)
process.exitCode = outcomes.fail <= Math.ceil(runs / 60) && outcomes.pass >= 0.8 * runs ? 0 : 1
