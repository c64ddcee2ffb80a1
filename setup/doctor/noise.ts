import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Check } from './check.ts'

const STEAL_WINDOW_MS = 500
const SPIN_MS = 1000

/** Share of time that the hypervisor took away, over half a second: field `steal` of /proc/stat (proc_stat(5)). */
export async function checkSteal(): Promise<Check> {
  const before = cpuTicks(readFileSync('/proc/stat', 'utf8'))
  await sleep(STEAL_WINDOW_MS)
  const after = cpuTicks(readFileSync('/proc/stat', 'utf8'))
  const total = after.total - before.total
  const steal = total > 0 ? (after.steal - before.steal) / total : 0
  const busy = total > 0 ? 1 - (after.idle - before.idle) / total : 0
  const found = `steal ${percent(steal)}, busy ${percent(busy)} of all CPUs over ${STEAL_WINDOW_MS / 1000} s`
  if (steal > 0.02)
    return {
      name: 'steal',
      ok: 'warning',
      found,
      fix: "Other guests take this machine's CPU: expect wider intervals, or use a dedicated runner.",
    }
  if (busy > 0.5)
    return {
      name: 'load',
      ok: 'warning',
      found,
      fix: 'Other programs are running: expect wider intervals, or end them.',
    }
  return { name: 'steal and load', ok: 'ok', found }
}

/** Ticks of all CPUs together from the first line of /proc/stat. */
export function cpuTicks(stat: string): { total: number; idle: number; steal: number } {
  const ticks = (stat.split('\n')[0] ?? '').trim().split(/\s+/).slice(1, 9).map(Number)
  return {
    total: ticks.reduce((sum, value) => sum + value, 0),
    idle: (ticks[3] ?? 0) + (ticks[4] ?? 0),
    steal: ticks[7] ?? 0,
  }
}

/**
 * Estimates how much one CPU is disturbed: the same short piece of work, again and again for a second. Its share of time
 * in slices that took over 1.5 times the median is what others (processes, interrupts, the hypervisor) took.
 */
export function checkNoise(): Check {
  const slices: number[] = []
  const end = performance.now() + SPIN_MS
  for (let now = performance.now(); now < end;) {
    work()
    const after = performance.now()
    slices.push((after - now) * 1000)
    now = after
  }
  const { medianUs, deviation, disturbed } = spread(slices)
  const found = `estimate: a ${medianUs.toFixed(0)} µs piece of work varies by ${percent(deviation)} (middle 68 %), ${percent(disturbed)} of the time was taken by others`
  if (disturbed > 0.1 || deviation > 0.1)
    return {
      name: 'noise',
      ok: 'warning',
      found,
      fix: 'The A/A row of a run (noise floor) says what can be resolved here; a quieter machine resolves more.',
    }
  return { name: 'noise', ok: 'ok', found }
}

/** Robust figures of the slices: median, half the middle 68 % over it, and the share of time lost in disturbed slices. */
export function spread(slicesUs: readonly number[]): { medianUs: number; deviation: number; disturbed: number } {
  const sorted = slicesUs.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  const medianUs = at(0.5)
  let total = 0
  let lost = 0
  for (const slice of slicesUs) {
    total += slice
    if (slice > 1.5 * medianUs) lost += slice - medianUs
  }
  return {
    medianUs,
    deviation: medianUs > 0 ? (at(0.84) - at(0.16)) / 2 / medianUs : 0,
    disturbed: total > 0 ? lost / total : 0,
  }
}

let sink = 0
function work(): void {
  for (let i = 0; i < 50_000; i++) sink = (sink * 31 + i) | 0
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
