import { mean } from './quantile.ts'

/** One block's figure, and which pod of each arm served the block. */
export interface PodFigure {
  value: number
  /** Pod of the arm that is compared. */
  pod: number
  /** Pod of the arm it is compared to. */
  overPod: number
}

/** What the pods of one arm contribute. */
export interface PodComponent {
  /** Variance between the pods themselves; under 0 where the noise says less than nothing. */
  variance: number
  /** Variance it adds to the mean over the blocks, per unit of `variance`: Σnᵢ²/n², one over the number of pods where they serve alike. */
  weight: number
  /** Mean square between the pods' means over n: what the arm's pods and the noise add to the mean's variance, together. */
  meanSquare: number
  df: number
  /** Each block's pod mean less the mean of all. */
  deviations: number[]
}

export interface PodComponents {
  /** One for each arm that more than one pod served; one for both where the arms' pods were tied in pairs. */
  arms: PodComponent[]
  /** Variance of a block on given pods, between a tenth of the whole variance and all of it. */
  noise: number
  /** How well the arms' pods were crossed: 1 where each met each of the other's alike, near 0 where they were nearly tied in pairs; 1 for one arm. */
  crossing: number
}

/** Under this share of its pods' blocks, what an arm's pods explain is what the other's explain as well. */
const LEAST_CROSSED = 0.02

/** A component that cannot be told apart is never told to be all there is. */
const LEAST_NOISE = 0.1

/**
 * Variance components of value = μ + arm's pod + other arm's pod + noise by Henderson's method 1 (Biometrics 9, 1953): the sums of squares about the
 * mean, whole and between each arm's pods, are set equal to their expectations. It needs neither as many blocks of each pod nor each pair
 * of pods: a last sweep cut short, or blocks left out, do not bias it.
 */
export function podComponents(figures: readonly PodFigure[]): PodComponents {
  const values = figures.map((figure) => figure.value)
  const center = mean(values)
  const whole = values.reduce((sum, value) => sum + (value - center) ** 2, 0)
  const arms = [figures.map((figure) => figure.pod), figures.map((figure) => figure.overPod)].flatMap(
    (pods) => groupByPod(values, pods, center) ?? [],
  )
  const [first, second] = arms.toSorted((one, other) => other.df - one.df)
  if (first === undefined) return { arms: [], noise: whole / (values.length - 1), crossing: 1 }
  return (second === undefined ? undefined : crossed(first, second, whole)) ?? single(first, whole)
}

interface Grouped {
  pods: readonly number[]
  counts: Map<number, number>
  /** Sum of squares between the pods' means. */
  between: number
  df: number
  weight: number
  deviations: number[]
}

function groupByPod(values: readonly number[], pods: readonly number[], center: number): Grouped | undefined {
  const counts = new Map<number, number>()
  const sums = new Map<number, number>()
  for (const [block, pod] of pods.entries()) {
    counts.set(pod, (counts.get(pod) ?? 0) + 1)
    sums.set(pod, (sums.get(pod) ?? 0) + (values[block] ?? Number.NaN) - center)
  }
  if (counts.size < 2) return undefined
  const deviations = pods.map((pod) => (sums.get(pod) ?? 0) / (counts.get(pod) ?? 1))
  return {
    pods,
    counts,
    between: deviations.reduce((sum, deviation) => sum + deviation ** 2, 0),
    df: counts.size - 1,
    weight: [...counts.values()].reduce((sum, count) => sum + count ** 2, 0) / pods.length ** 2,
    deviations,
  }
}

/** Both arms' pods apart; undefined where they were (nearly) tied in pairs, so that nothing tells them apart. */
function crossed(first: Grouped, second: Grouped, whole: number): PodComponents | undefined {
  const n = first.pods.length
  const met = new Map<string, number>()
  for (const [block, pod] of first.pods.entries()) {
    const pair = `${pod} ${second.pods[block]}`
    met.set(pair, (met.get(pair) ?? 0) + 1)
  }
  // How much of one arm's pods is seen between the other's: Σnᵢⱼ²/nⱼ.
  let firstInSecond = 0
  let secondInFirst = 0
  for (const [pair, count] of met) {
    const [one, other] = pair.split(' ').map(Number)
    firstInSecond += count ** 2 / (second.counts.get(other ?? Number.NaN) ?? Number.NaN)
    secondInFirst += count ** 2 / (first.counts.get(one ?? Number.NaN) ?? Number.NaN)
  }
  // What is within the pods of one arm holds the other arm's component and the noise: whole − between(first) = own·σ²(second) + left·σ².
  const ownFirst = n - firstInSecond
  const ownSecond = n - secondInFirst
  if (Math.min(ownFirst, ownSecond) < LEAST_CROSSED * n) return undefined
  const leftBySecond = n - 1 - second.df
  const leftByFirst = n - 1 - first.df
  const total = [n * (1 - first.weight), n * (1 - second.weight)] as const
  const [perFirst, perSecond] = [total[0] / ownFirst, total[1] / ownSecond]
  const noise =
    (perFirst * (whole - second.between) + perSecond * (whole - first.between) - whole) /
    (perFirst * leftBySecond + perSecond * leftByFirst - (n - 1))
  if (!Number.isFinite(noise)) return undefined
  return {
    arms: [
      component(first, (whole - second.between - leftBySecond * noise) / ownFirst),
      component(second, (whole - first.between - leftByFirst * noise) / ownSecond),
    ],
    noise: withinReason(noise, whole / (n - 1)),
    crossing: Math.min(1, 1 / perFirst, 1 / perSecond),
  }
}

/** One arm's pods, or both arms' as pairs: the one-way analysis of variance. */
function single(arm: Grouped, whole: number): PodComponents {
  const n = arm.pods.length
  const within = n - 1 - arm.df
  // Every block on a pod of its own: what the pods differ by is in the blocks' noise.
  if (within === 0) return { arms: [], noise: whole / (n - 1), crossing: 1 }
  const noise = (whole - arm.between) / within
  const variance = (arm.between - arm.df * noise) / (n * (1 - arm.weight))
  return { arms: [component(arm, variance)], noise: withinReason(noise, whole / (n - 1)), crossing: 1 }
}

function component(arm: Grouped, variance: number): PodComponent {
  const { df, weight, deviations } = arm
  return { variance, weight, meanSquare: arm.between / df / arm.pods.length, df, deviations }
}

function withinReason(noise: number, all: number): number {
  return Math.min(Math.max(noise, LEAST_NOISE * all), all)
}
