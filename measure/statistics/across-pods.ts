import type { BlockEstimate, Refusal } from './block-estimate.ts'
import { halfWidth } from './block-estimate.ts'
import { estimateFromBlocks } from './estimate.ts'
import { podComponents } from './pod-components.ts'
import type { PodComponents, PodFigure } from './pod-components.ts'
import { studentUpperQuantile } from './student-distribution.ts'

export type { PodFigure } from './pod-components.ts'

/** Two-sided 95 %. */
const SHOWN_ALPHA = 0.025
const SHOWN_Z = 1.959964

/**
 * One-sided error of the decision bounds where pods matter, whatever the looks: they see the same pods again, and a stop on precision
 * depends on the width, not on the side. Under the 1 % that is claimed, because Satterthwaite's degrees of freedom err there by a half
 * when one arm's pods differ much more than the other's. Calibrated by test/accuracy/outcome-simulation.ts.
 */
const POD_DECISION_ALPHA = 0.0055

/**
 * Estimate over blocks that were spread over several pods of each arm, in the order they were measured. Pods are a random effect: two pods of one
 * workload differ by some tenths of a percent for as long as they live, and more blocks on the same pods do not average that out.
 *
 *   Var = σ²(arm)·Σnᵢ²/n² + σ²(over)·Σnⱼ²/n² + SE²(blocks)
 *
 * with the components of `podComponents`, each arm its own and never under 0, and Student's t with Satterthwaite's degrees of freedom
 * (Biometrics Bulletin 2, 1946) from the arms' mean squares *before* the noise is taken out: small components are known no better than
 * large ones. Never inside the bounds of the blocks alone.
 *
 * SE(blocks) and the point are `estimateFromBlocks` of the blocks less their pods' predicted effects (best linear prediction, Robinson,
 * Statistical Science 6, 1991: pod means shrunk towards the mean of all, to nothing where pods do not differ). So autocorrelation is that of
 * the noise: pods come again with a period of about the number of pods, which in the plain series would hide it (neighbours are never the same pod)
 * and would make the blocks' interval count the pods a second time.
 *
 * With one pod an arm it is the estimate over blocks: it says nothing about other pods. With two or three, bounds are wide (t with 1 to 4 degrees
 * of freedom): so few pods cannot show that pods do not matter.
 * @throws RangeError as `estimateFromBlocks`
 */
export function estimateAcrossPods(figures: readonly PodFigure[], options: { looks: number }): BlockEstimate | Refusal {
  const values = figures.map((figure) => figure.value)
  const plain = estimateFromBlocks(values, options)
  if (plain.kind === 'refused') return plain
  const components = podComponents(figures)
  if (components.arms.length === 0) return plain
  const blocks = estimateFromBlocks(withoutPods(values, components), options)
  if (blocks.kind === 'refused') return blocks

  const { estimate } = blocks
  const blockVariance = (halfWidth(blocks) / SHOWN_Z) ** 2
  const variance = components.arms.reduce((sum, arm) => sum + Math.max(0, arm.variance) * arm.weight, blockVariance)
  const error = Math.sqrt(variance)
  const df = satterthwaite(components)
  const shown = studentUpperQuantile(SHOWN_ALPHA, df) * error
  const decided = studentUpperQuantile(POD_DECISION_ALPHA, df) * error
  return {
    ...blocks,
    low: Math.min(blocks.low, estimate - shown),
    high: Math.max(blocks.high, estimate + shown),
    decisionLow: Math.min(blocks.decisionLow, estimate - decided),
    decisionHigh: Math.max(blocks.decisionHigh, estimate + decided),
    effectiveN: blocks.effectiveN * (blockVariance / variance),
    podShare: 1 - blockVariance / variance,
  }
}

/**
 * Degrees of freedom of a sum of mean squares: the more the more alike they are. Each counts as if its arm had only as many pods as the arm with
 * the fewest: Satterthwaite's own would go by the many pods of one arm whenever the few of the other happen to be alike. And they count less
 * where pods met only some of the other arm's (few sweeps, or a rota whose shift divides the pods): the mean squares then share what they are made of.
 */
function satterthwaite({ arms, crossing }: PodComponents): number {
  const fewest = Math.min(...arms.map(({ df }) => df))
  const sum = arms.reduce((total, { meanSquare }) => total + meanSquare, 0)
  const squares = arms.reduce((total, { meanSquare }) => total + meanSquare ** 2, 0)
  return squares > 0 ? Math.max(fewest, (crossing * fewest * sum ** 2) / squares) : fewest
}

/** The blocks less what their pods are predicted to add. */
function withoutPods(values: readonly number[], { arms, noise }: PodComponents): number[] {
  const shrunk = arms.map((arm) => {
    const known = Math.max(0, arm.variance)
    return { share: known > 0 ? known / (known + noise / (arm.weight * values.length)) : 0, arm }
  })
  return values.map((value, block) =>
    shrunk.reduce((rest, { share, arm }) => rest - share * (arm.deviations[block] ?? 0), value),
  )
}
