/** The noise floor: what comparing `baseline` with itself gave in this run. One rule for matchers' sentences and for tables. */
import type { Comparison, Metric, Overhead } from './record.ts'

/** A comparison of `baseline` with itself (A/A). */
export function isControl(comparison: Pick<Comparison, 'arms'>): boolean {
  return (
    comparison.arms.length === 2 &&
    comparison.arms.every((arm) => arm.mesh === 'baseline') &&
    comparison.arms.some((arm) => arm.name === 'baseline again')
  )
}

/** The interval of an A/A comparison for one metric. */
export interface NoiseFloor {
  of: Metric
  /** 95 % interval, fractions. */
  low: number
  high: number
  /** How far from 0 it reaches, never less than half its width: a row inside ± this can't be told from noise. */
  reach: number
}

/** Where a test is. */
export type Place = Pick<Comparison, 'spec' | 'test'>

/** An A/A comparison with the floors that it gave. */
export interface Control extends Place {
  readonly floors: readonly NoiseFloor[]
}

function floorOf({ of, low, high }: Overhead): NoiseFloor | undefined {
  // An interval without width comes from an arm that was compared with its own samples, not with a second arm.
  if (low === null || high === null || high <= low) return undefined
  return { of, low, high, reach: Math.max(Math.abs(low), Math.abs(high)) }
}

/** The noise floors that one A/A comparison gives, one for each metric that has an interval. */
export function noiseFloors(control: Pick<Comparison, 'overheads'>): NoiseFloor[] {
  const seen = new Map<Metric, NoiseFloor>()
  for (const overhead of control.overheads) {
    const floor = floorOf(overhead)
    if (floor !== undefined && !seen.has(overhead.of)) seen.set(overhead.of, floor)
  }
  return [...seen.values()]
}

/** Those of some comparisons that are A/A. */
export function controlsOf(comparisons: readonly Comparison[]): Control[] {
  return comparisons
    .filter(isControl)
    .map((control) => ({ spec: control.spec, test: control.test, floors: noiseFloors(control) }))
}

/**
 * The noise floor a comparison is judged by: from the A/A comparison of the same test, else of the same spec, else of
 * the run; the widest where there are several. undefined where the run has none.
 */
export function noiseFloorFor(controls: readonly Control[], { spec, test }: Place, of: Metric): NoiseFloor | undefined {
  const near = [
    controls.filter((control) => control.spec === spec && control.test === test),
    controls.filter((control) => control.spec === spec),
    controls,
  ]
  for (const group of near) {
    const floors = group.flatMap((control) => control.floors).filter((floor) => floor.of === of)
    const widest = floors.toSorted((a, b) => b.reach - a.reach)[0]
    if (widest !== undefined) return widest
  }
  return undefined
}

/** Whether a row's whole interval lies inside what A/A gave: then it is not told from noise, whatever its outcome. */
export const isInsideNoise = (overhead: Overhead, floor: NoiseFloor | undefined): boolean =>
  floor !== undefined &&
  overhead.low !== null &&
  overhead.high !== null &&
  overhead.low >= -floor.reach &&
  overhead.high <= floor.reach
