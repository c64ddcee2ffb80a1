/**
 * What the kernel spends on an arm's path, in blocks of its own after the measuring: the eBPF programs by the kernel's statistics,
 * whose clock reads would burden only the arms that have such programs, and softirq time.
 */
import { readFileSync } from 'node:fs'
import type { KernelUse } from '../record.ts'
import type { KernelMeter, ProgramReading } from '../target.ts'

/** What was read at one edge of an arm's window. */
export interface KernelReading {
  readonly programs: readonly ProgramReading[]
  /** Softirq time of the CPUs of both sides, µs. */
  readonly softirqUs: number
}

export interface KernelWindow {
  readonly start: KernelReading
  readonly end: KernelReading
  readonly requests: number
}

/** Windows long enough for the kernel's ticks: softirq time is kept in hundredths of a second (proc_stat(5)). */
export const KERNEL_WINDOW_MS = 250
export const KERNEL_BLOCKS = 6

const TICK_US = 10_000
const SOFTIRQ_FIELD = 7

export async function readKernel(meter: KernelMeter | undefined, cpus: readonly number[]): Promise<KernelReading> {
  return { programs: (await meter?.read()) ?? [], softirqUs: softirqUs(cpus) }
}

/** Softirq time of these CPUs since boot, µs, from the text of /proc/stat. */
export function softirqUs(cpus: readonly number[], stat = readFileSync('/proc/stat', 'latin1')): number {
  return stat
    .split('\n')
    .map((line) => line.split(/\s+/))
    .filter(([name = '']) => cpus.some((cpu) => name === `cpu${cpu}`))
    .reduce((sum, fields) => sum + Number(fields[SOFTIRQ_FIELD] ?? 0) * TICK_US, 0)
}

/** Sums up an arm's windows; null where no request was served in any. */
export function kernelUse(windows: readonly KernelWindow[]): KernelUse | null {
  const requests = windows.reduce((sum, window) => sum + window.requests, 0)
  if (requests === 0) return null
  const programs = new Map<string, { runs: number; runNs: number }>()
  for (const { start, end } of windows) {
    for (const { program, runs, runNs } of end.programs) {
      const before = start.programs.find((reading) => reading.program === program)
      const sum = programs.get(program) ?? { runs: 0, runNs: 0 }
      sum.runs += runs - (before?.runs ?? 0)
      sum.runNs += runNs - (before?.runNs ?? 0)
      programs.set(program, sum)
    }
  }
  const used = [...programs].filter(([, { runs }]) => runs > 0)
  return {
    requests,
    programs: used.map(([program, { runs, runNs }]) => ({
      program,
      nsPerRun: runNs / runs,
      runsPerRequest: runs / requests,
    })),
    programsUsPerRequest: used.reduce((sum, [, { runNs }]) => sum + runNs, 0) / requests / 1000,
    softirqUsPerRequest: windows.reduce((sum, { start, end }) => sum + end.softirqUs - start.softirqUs, 0) / requests,
  }
}
