/** What the kernel spends on each path: the eBPF programs by run, and softirq time. */
import type { Arm, MeshmarkRecord } from '../../measure/record.ts'
import { armName, comparisonTitle } from '../arm-name.ts'
import { figure, microseconds } from '../figures.ts'
import type { Paint } from './paint.ts'
import { wrap } from './text.ts'

const LEGEND =
  "kernel, per request, from blocks of their own: eBPF programs by the kernel's statistics (40 to 80 ns of each run are the statistics' own), softirq time of both sides' CPUs"

/** Nothing where no arm has eBPF programs. */
export function kernelTable(record: MeshmarkRecord, columns: number, paint: Paint): string[] {
  const lines = record.comparisons.flatMap((comparison) => {
    const arms = comparison.arms.filter(({ kernel }) => kernel !== null)
    if (arms.every(({ kernel }) => kernel?.programs.length === 0)) return []
    return arms.flatMap((arm) => wrap(`${comparisonTitle(comparison)}, ${kernelText(arm)}`, columns, ' · ', '   '))
  })
  return lines.length === 0 ? [] : [...wrap(LEGEND, columns, ' ').map((line) => paint('quiet', line)), ...lines, '']
}

function kernelText(arm: Arm): string {
  const { kernel } = arm
  if (kernel === null) return armName(arm)
  const programs = kernel.programs.map(
    ({ program, nsPerRun, runsPerRequest }) => `${program} ${figure(nsPerRun)} ns × ${figure(runsPerRequest)}`,
  )
  return [`${armName(arm)}: softirq ${microseconds(kernel.softirqUsPerRequest)}`, ...programs].join(' · ')
}
