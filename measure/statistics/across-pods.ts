import { effectiveCount } from './autocorrelation.ts'
import type { BlockEstimate, Refusal } from './block-estimate.ts'
import { decisionAlpha } from './decision-level.ts'
import { estimateFromBlocks } from './estimate.ts'
import { hodgesLehmann } from './hodges-lehmann.ts'
import { mean } from './quantile.ts'
import { studentUpperQuantile } from './student-distribution.ts'

/** One block's figure, and which pod of each arm served the block. */
export interface PodFigure {
  value: number
  /** Pod of the arm that is compared. */
  pod: number
  /** Pod of the arm it is compared to. */
  overPod: number
}

/** Two-sided 95 %. */
const SHOWN_ALPHA = 0.025
const SHOWN_Z = 1.959964

/**
 * Estimate over blocks that were spread over several pods of each arm. Pods are a random effect: two pods of one workload differ by some
 * tenths of a percent for as long as they live, and more blocks on the same pods do not average that out. With R pods an arm, crossed,
 *
 *   Var = S²(arm) / R + S²(over) / R − SE²(blocks),   never below SE²(blocks)
 *
 * where S² is the variance of the pods' own estimates (Hodges–Lehmann over a pod's blocks) and the blocks' own noise, which is in both, is
 * taken out once. Bounds are Student's t with Satterthwaite's degrees of freedom (Biometrics Bulletin 2, 1946), and never
 * inside those of the blocks alone. With one pod an arm it is the estimate over blocks: it says nothing about other pods.
 * @throws RangeError as `estimateFromBlocks`
 */
export function estimateAcrossPods(figures: readonly PodFigure[], options: { looks: number }): BlockEstimate | Refusal {
  const blocks = estimateFromBlocks(
    figures.map((figure) => figure.value),
    options,
  )
  if (blocks.kind === 'refused') return blocks
  const spreads = [podSpread(figures, (figure) => figure.pod), podSpread(figures, (figure) => figure.overPod)].filter(
    (spread) => spread !== undefined,
  )
  if (spreads.length === 0) return blocks

  const blockError = (blocks.high - blocks.low) / (2 * SHOWN_Z)
  const parts = spreads.map(({ variance, pods }) => ({ variance: variance / pods, df: pods - 1 }))
  const between = parts.reduce((sum, part) => sum + part.variance, 0)
  const error = Math.sqrt(Math.max(between - (parts.length - 1) * blockError ** 2, blockError ** 2))
  const df = between ** 2 / parts.reduce((sum, part) => sum + part.variance ** 2 / part.df, 0)
  const { estimate } = blocks
  const shown = studentUpperQuantile(SHOWN_ALPHA, df) * error
  const decided = studentUpperQuantile(decisionAlpha(options.looks), df) * error
  return {
    ...blocks,
    low: Math.min(blocks.low, estimate - shown),
    high: Math.max(blocks.high, estimate + shown),
    decisionLow: Math.min(blocks.decisionLow, estimate - decided),
    decisionHigh: Math.max(blocks.decisionHigh, estimate + decided),
    effectiveN: Math.min(blocks.effectiveN, effectiveCount(0, blocks.n) * (blockError / error) ** 2),
  }
}

/** Variance of the pods' own estimates; undefined where one pod served all blocks. */
function podSpread(
  figures: readonly PodFigure[],
  podOf: (figure: PodFigure) => number,
): { variance: number; pods: number } | undefined {
  const byPod = Map.groupBy(figures, podOf)
  if (byPod.size < 2) return undefined
  const estimates = [...byPod.values()].map((own) => hodgesLehmann(own.map((figure) => figure.value)))
  const middle = mean(estimates)
  const variance = estimates.reduce((sum, own) => sum + (own - middle) ** 2, 0) / (estimates.length - 1)
  return { variance, pods: estimates.length }
}
