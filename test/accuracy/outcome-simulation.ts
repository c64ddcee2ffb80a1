/**
 * Shows by simulation that wrong passes and wrong fails stay at 1 % or under with the truth exactly at the budget.
 * `node test/accuracy/outcome-simulation.ts [--runs N] [--seed s] [--only text] [--tails N] [--pods N]`; 20,000 runs take about seven minutes.
 * `--pods N` does the same for blocks over several pods, in N runs a cell (20,000 take about fifteen minutes; `--runs 0` leaves the others out).
 * `--tails N` checks the tails' rule as well, in N runs a cell (600 take about eight minutes): too few to show 1 %, enough to refute it.
 */
import { parseArgs } from 'node:util'
import { DECISION_ERROR } from '../../measure/statistics/decision-level.ts'
import { CELLS, simulateCell } from '../../measure/statistics/testdata/simulate-outcomes.ts'
import { printPods } from './pod-simulation.ts'
import { limits, percent, print } from './rates.ts'
import { simulateTails, TAIL_CELLS } from '../../measure/statistics/testdata/simulate-tails.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20000' },
    seed: { type: 'string', default: 'outcomes' },
    only: { type: 'string', default: '' },
    tails: { type: 'string', default: '0' },
    pods: { type: 'string', default: '0' },
  },
})
const runs = Number(values.runs)

if (runs > 0) {
  print(`truth at the budget, ${runs} runs a cell, seed ${values.seed}; in brackets the upper 99 % limit`)
  print(
    'shape         lag-1  looks at blocks     stop       mean blocks  wrong fail          wrong pass          95% misses  power',
  )
}
let shown = true
for (const cell of runs > 0 ? CELLS : []) {
  const name = `${cell.shape.padEnd(13)} ${cell.rho.toFixed(2)}   ${cell.looks.join(',').padEnd(19)} ${cell.stop.padEnd(10)}`
  if (!name.includes(values.only)) continue
  const result = simulateCell(cell, { runs, seed: values.seed })
  const worst = limits(Math.max(result.wrongFail, result.wrongPass), runs).upper
  if (worst > DECISION_ERROR) shown = false
  const rate = (share: number): string => `${percent(share)} (${percent(limits(share, runs).upper).trim()})`.padEnd(19)
  print(
    `${name} ${result.meanBlocks.toFixed(1).padStart(11)} ${rate(result.wrongFail)} ${rate(result.wrongPass)} ${percent(result.missed)}   ${percent(result.power)}${worst > DECISION_ERROR ? '  <- not shown to be at most 1 %' : ''}`,
  )
}
if (Number(values.pods) > 0 && !printPods({ runs: Number(values.pods), seed: values.seed, only: values.only }))
  shown = false
// The claim must be shown, not merely not refuted: too few runs fail as well.
if (!shown) {
  print('Some rate is not shown to be at most 1 %: too many errors, or too few runs (20,000 are enough).')
  process.exitCode = 1
}

const tailRuns = Number(values.tails)
if (tailRuns > 0) {
  print(`tails, truth at the budget, ${tailRuns} runs a cell; in brackets the lower 99 % limit of the larger rate`)
  print('blocks x samples  lag-1  slow requests   of     wrong fail  wrong pass          95% misses')
}
for (const cell of tailRuns > 0 ? TAIL_CELLS : []) {
  const results = simulateTails(cell, { runs: tailRuns, seed: values.seed, metrics: ['p50', 'p90', 'p95', 'p99'] })
  for (const { metric, wrongFail, wrongPass, missed } of results) {
    const { lower } = limits(Math.max(wrongFail, wrongPass), tailRuns)
    if (lower > DECISION_ERROR) process.exitCode = 1
    print(
      `${`${cell.blocks} x ${cell.samplesPerBlock}`.padEnd(17)} ${cell.rho.toFixed(2)}   ${`${cell.slowShare.a} / ${cell.slowShare.b}`.padEnd(15)} ${metric.padEnd(4)} ${percent(wrongFail)}    ${percent(wrongPass)} (${percent(lower).trim()}) ${percent(missed).padStart(12)}${lower > DECISION_ERROR ? '  <- over 1 %' : ''}`,
    )
  }
}
