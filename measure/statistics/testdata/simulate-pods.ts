import { createPodRota } from '../../provider/pod-rota.ts'
import { estimateAcrossPods } from '../across-pods.ts'
import { halfWidth, MINIMUM_BLOCKS } from '../block-estimate.ts'
import type { BlockEstimate } from '../block-estimate.ts'
import { estimateFromBlocks } from '../estimate.ts'
import type { PodFigure } from '../pod-components.ts'
import { mean, median } from '../quantile.ts'
import { createRandom } from '../random.ts'
import type { Random } from '../random.ts'
import { drawBlocks, pseudoMedian, SHAPES, standardDeviation } from './block-process.ts'
import type { Shape } from './block-process.ts'
import { estimated, simulateRule } from './simulate-rule.ts'
import type { Plan, RuleResult } from './simulate-rule.ts'

/** Shapes of the pods' effects, each of variance 1. */
const PODS = {
  normal: (random: Random): number => random.normal(),
  t3: (random: Random): number => SHAPES.t3(random) / Math.sqrt(3),
  /** One pod in six has four times the effect. */
  odd: (random: Random): number => (random.normal() * (random.next() < 1 / 6 ? 4 : 1)) / Math.sqrt(3.5),
} as const

/** Blocks over several pods of each arm. */
export interface PodCell extends Plan {
  /** Pods of the arm and of the one it is compared to. */
  pods: readonly [number, number]
  /** Standard deviation between the arm's pods, and the other's, in those of a block's noise. */
  sd: readonly [number, number]
  podShape: keyof typeof PODS
  shape: Shape
  rho: number
  /** Share of blocks that are invalid, and so missing. */
  missing: number
  /** Which arms of the record they are: the rota shifts each by its index. */
  arms: readonly [number, number]
}

export interface PodResult extends RuleResult {
  cell: PodCell
  /** Half-width of the 95 % interval in those of the same blocks' interval without regard to pods, mean over the runs. */
  width: number
}

const PLAIN = {
  podShape: 'normal',
  shape: 'normal',
  rho: 0,
  missing: 0,
  arms: [1, 0],
  looks: [48],
  stop: 'cap',
} as const

const SHORT: Plan = { looks: [20, 30, 40], stop: 'precision' }
const LONG: Plan = { looks: [25, 50, 75, 100], stop: 'precision' }

function cell(pods: number | readonly [number, number], sd: readonly [number, number], other: Partial<PodCell>): PodCell {
  return { ...PLAIN, pods: typeof pods === 'number' ? [pods, pods] : pods, sd, ...other }
}

/** Every number of pods with every spread, and what is hard on them. */
export const POD_CELLS: readonly PodCell[] = [
  ...[2, 3, 4, 6, 8].flatMap((pods) => [0, 0.4, 1, 3].map((sd) => cell(pods, [sd, sd], { ...SHORT, rho: 0.3 }))),
  ...[2, 3, 4, 6, 8].flatMap((pods) => [cell(pods, [1, 0], {}), cell(pods, [0.3, 1], {})]),
  ...[0, 0.4, 1, 3].map((sd) => cell(6, [sd, sd], LONG)),
  ...(['t3', 'contaminated', 'skewed'] as const).flatMap((shape) => [
    cell(6, [0.4, 0.4], { shape }),
    cell(6, [1, 1], { ...LONG, shape, rho: 0.3 }),
    cell(8, [0.4, 0.4], { ...SHORT, shape, rho: 0.3 }),
  ]),
  ...(['t3', 'odd'] as const).flatMap((podShape) => [
    cell(6, [0.4, 0.4], { podShape }),
    cell(6, [1, 1], { ...SHORT, podShape }),
    cell(3, [1, 1], { podShape }),
  ]),
  cell(6, [1, 1], { ...SHORT, missing: 0.15, rho: 0.3 }),
  cell(8, [1, 1], { looks: [23], missing: 0.15, rho: 0.3 }),
  cell(8, [3, 3], { looks: [30], missing: 0.15 }),
  cell([6, 3], [1, 1], {}),
  cell([2, 6], [1, 0.4], {}),
  // Third and fourth arm against the first: the rota's shifts divide the pods, which then meet only some of the others.
  cell(4, [1, 1], { arms: [2, 0] }),
  cell(6, [1, 1], { arms: [2, 0] }),
  cell(6, [1, 1], { arms: [3, 0] }),
  cell(2, [1, 1], { arms: [2, 0] }),
]

/** Noise of a block: 1 % of log-ratio, so that fractions and logs are not the same numbers. */
const SCALE = 0.01

/** Runs the whole rule many times over pods, with the truth exactly at the budget. */
export function simulatePods(podCell: PodCell, options: { runs: number; seed: string }): PodResult {
  const random = createRandom(options.seed).fork(JSON.stringify(podCell))
  const { begin, truth } = podRuns(podCell, random, SCALE)
  const ratios: number[] = []
  const { result } = simulateRule(podCell, {
    begin: () => {
      const run = begin()
      return (blocks) => {
        const { estimate, plain } = run(blocks)
        // The first runs are enough for a mean, and the blocks' own interval takes time.
        if (ratios.length < 2_000) ratios.push(halfWidth(estimate) / halfWidth(plain()))
        return estimate
      }
    },
    truth,
    runs: options.runs,
  })
  return { cell: podCell, ...result, width: mean(ratios) }
}

/** A comparison of an arm with itself, as it would be on hardware. */
export interface PowerCell {
  pods: number
  blocks: number
  /** Standard deviation between pods, as log-ratio. */
  podSd: number
  /** Median 95 % half-width of the blocks of one pair of pods. */
  blockHalfWidth: number
  budget: number
}

export interface PowerResult {
  passes: number
  halfWidth: number
  /** 95 % intervals that miss 0, and those of the blocks without regard to pods. */
  missed: number
  plainMissed: number
}

/** How often an arm passes a budget against itself. */
export function simulatePower(power: PowerCell, options: { runs: number; seed: string }): PowerResult {
  const random = createRandom(options.seed).fork(JSON.stringify(power))
  const perNoise = median(
    Array.from({ length: 400 }, () =>
      halfWidth(estimated(estimateFromBlocks(drawBlocks('normal', 0, power.blocks, random), { looks: 4 }))),
    ),
  )
  const noise = power.blockHalfWidth / perNoise
  const sd = power.podSd / noise
  // Four planned looks, as a gate has them, of which only the last one is taken: the precision asked for was not reached.
  const looks = [1, 2, 3, 4].map((quarter) => Math.max(MINIMUM_BLOCKS, (power.blocks * quarter) / 4))
  const { begin } = podRuns(cell(power.pods, [sd, sd], { looks }), random, noise)
  let plainMissed = 0
  const { result, passes, ends } = simulateRule(
    { looks: [power.blocks], stop: 'cap' },
    {
      begin: () => {
        const run = begin()
        return (blocks) => {
          const { estimate, plain } = run(blocks)
          const { low, high } = plain()
          if (low > 0 || high < 0) plainMissed++
          return estimate
        }
      },
      truth: 0,
      runs: options.runs,
    },
  )
  return {
    passes: passes(Math.log1p(power.budget)),
    halfWidth: median(ends.map((end) => halfWidth(end))),
    missed: result.missed,
    plainMissed: plainMissed / options.runs,
  }
}

interface PodEstimate {
  estimate: BlockEstimate
  /** The blocks' own, without regard to pods. */
  plain(): BlockEstimate
}

function podRuns(
  { pods, sd, podShape, shape, rho, missing, arms, looks }: PodCell,
  random: Random,
  scale: number,
): { begin: () => (blocks: number) => PodEstimate; truth: number } {
  const unit = scale / standardDeviation(shape, rho)
  const count = (arm: number): number => (arm === arms[0] ? pods[0] : arm === arms[1] ? pods[1] : Math.min(...pods))
  const rota = createPodRota(
    Array.from({ length: Math.max(...arms) + 1 }, (_, arm) => count(arm)),
    random,
  )
  const effects = (arm: 0 | 1): number[] =>
    Array.from({ length: pods[arm] }, () => PODS[podShape](random) * sd[arm] * scale)
  const options = { looks: looks.length }
  const begin = (): ((blocks: number) => PodEstimate) => {
    const [own, others] = [effects(0), effects(1)]
    const drawn = drawBlocks(shape, rho, looks.at(-1) ?? 0, random).map((noise, block): PodFigure & { valid: boolean } => {
      const serving = rota(block)
      const [pod, overPod] = [serving[arms[0]] ?? 0, serving[arms[1]] ?? 0]
      const value = noise * unit + (own[pod] ?? 0) - (others[overPod] ?? 0)
      return { value, pod, overPod, valid: missing === 0 || random.next() >= missing }
    })
    return (blocks) => {
      const valid = drawn.slice(0, blocks).filter((figure) => figure.valid)
      // Under the minimum nothing is said, and the looks wait for it.
      const figures = valid.length < MINIMUM_BLOCKS ? drawn.slice(0, MINIMUM_BLOCKS) : valid
      return {
        estimate: estimated(estimateAcrossPods(figures, options)),
        plain: () =>
          estimated(
            estimateFromBlocks(
              figures.map(({ value }) => value),
              options,
            ),
          ),
      }
    }
  }
  return { begin, truth: pseudoMedian(shape, rho) * unit }
}
