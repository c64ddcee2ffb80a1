/** What can be said while a comparison runs. Shown only: it decides nothing and stops nothing. */
import type { Progress } from '../progress.ts'
import { lossFromLogRatio, relativeFromLogRatio } from '../statistics/block-estimate.ts'
import { estimateAcrossPods } from '../statistics/across-pods.ts'
import { pairFigure } from './block-figures.ts'
import type { MeasuredBlocks } from './measured.ts'

export function liveEstimate(measured: MeasuredBlocks): Progress['estimate'] {
  const [over, arm] = measured.arms
  if (over === undefined || arm === undefined) return null
  const of = measured.plan.kind === 'saturate' ? 'throughput' : 'p50'
  const figures = measured.blocks
    .filter((block) => block.invalid === null)
    .flatMap((block) => pairFigure(block, arm, over, of, measured.plan.kind === 'paired') ?? [])
  const estimate = estimateAcrossPods(
    figures.map((figure) => ({ ...figure, value: figure.logRatio })),
    { looks: measured.looks },
  )
  if (estimate.kind === 'refused') return null
  const toFractions = of === 'throughput' ? lossFromLogRatio : relativeFromLogRatio
  const { relative, low, high } = toFractions(estimate)
  return { of, arm, relative, low, high }
}
