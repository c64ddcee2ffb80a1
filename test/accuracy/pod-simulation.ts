/** The pods' part of outcome-simulation.ts. */
import { DECISION_ERROR } from '../../measure/statistics/decision-level.ts'
import { POD_CELLS, simulatePods, simulatePower } from '../../measure/statistics/testdata/simulate-pods.ts'
import { limits, percent, print } from './rates.ts'

/** Prints wrong outcomes over pods, and how often an arm passes against itself. Whether every rate is shown to be at most 1 %. */
export function printPods({ runs, seed, only }: { runs: number; seed: string; only: string }): boolean {
  print(
    `pods, truth at the budget, ${runs} runs a cell, seed ${seed}; in brackets the upper 99 % limit; sd in those of a block`,
  )
  print(
    'pods  sd        arms  pods are  blocks are    lag-1  looks at blocks     stop       missing  blocks  wrong fail          wrong pass          95% misses  width',
  )
  let shown = true
  for (const cell of POD_CELLS) {
    const name = `${cell.pods.join(':')}   ${cell.sd.join(' : ').padEnd(9)} ${cell.arms.join(':')}   ${cell.podShape.padEnd(9)} ${cell.shape.padEnd(13)} ${cell.rho.toFixed(2)}   ${cell.looks.join(',').padEnd(19)} ${cell.stop.padEnd(10)} ${cell.missing.toFixed(2)}`
    if (!name.includes(only)) continue
    const result = simulatePods(cell, { runs, seed })
    const worst = limits(Math.max(result.wrongFail, result.wrongPass), runs).upper
    if (worst > DECISION_ERROR) shown = false
    const rate = (share: number): string =>
      `${percent(share)} (${percent(limits(share, runs).upper).trim()})`.padEnd(19)
    print(
      `${name} ${result.meanBlocks.toFixed(1).padStart(10)} ${rate(result.wrongFail)} ${rate(result.wrongPass)} ${percent(result.missed)}    x${result.width.toFixed(2)}${worst > DECISION_ERROR ? '  <- not shown to be at most 1 %' : ''}`,
    )
  }
  print('an arm against itself, pods 0.35 % apart, blocks alone +-0.25 %, budget 1 %')
  print('pods  blocks  passes    95% half-width  95% misses  without regard to pods')
  for (const blocks of [48, 96]) {
    for (const pods of [2, 3, 4, 6, 8, 10, 12]) {
      const cell = { pods, blocks, podSd: 0.0035, blockHalfWidth: 0.0025, budget: 0.01 }
      const { passes, halfWidth, missed, plainMissed } = simulatePower(cell, { runs: Math.min(runs, 5_000), seed })
      print(
        `${String(pods).padEnd(5)} ${String(blocks).padEnd(6)} ${percent(passes)} ${percent(halfWidth)} ${percent(missed).padStart(16)} ${percent(plainMissed).padStart(10)}`,
      )
    }
  }
  return shown
}
