import type { Arm, Metric } from '../measure/record.ts'

function total(figures: readonly (number | null)[]): number | null {
  const measured = figures.filter((each) => each !== null)
  return measured.length === 0 ? null : measured.reduce((sum, each) => sum + each, 0)
}

/** An arm's own value of a metric: µs, requests/s, CPU-µs per request or bytes over all components; null where not measured. */
export function valueOf(arm: Arm | undefined, of: Metric): number | null {
  if (arm === undefined) return null
  if (of === 'throughput') return arm.throughputPerS
  if (of === 'cpu') return total(arm.usage.map((usage) => usage.cpuUsPerRequest))
  if (of === 'memory') return total(arm.usage.map((usage) => usage.memoryBytes))
  return arm.latencyUs?.[of] ?? null
}
