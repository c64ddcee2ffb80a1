/** Charts: how a cost grows with the number of rules, from comparisons whose arms differ in that alone. */
import type { Arm, Chart, Comparison } from '../measure/record.ts'

/** A comparison is a series of a chart when this many of its arms have a policy, with different numbers of rules. */
const LEAST_POINTS = 3

/** One chart for each kind of load of a spec; a series for each way of enforcing. */
export function chartsOf(comparisons: readonly Comparison[]): Chart[] {
  const charts = Map.groupBy(comparisons.filter(isSeries), ({ project, spec, arms, plan }) =>
    JSON.stringify([project, spec, plan.kind, arms[0]?.request.connection]),
  )
  return [...charts.values()].flatMap((series) => {
    const [first] = series
    if (first === undefined) return []
    return [
      {
        title: titleOf(first),
        x: 'rules' as const,
        y: first.plan.kind === 'saturate' ? ('throughput' as const) : ('p50' as const),
        series: series.map(seriesOf),
      },
    ]
  })
}

function isSeries({ arms }: Comparison): boolean {
  const rules = arms.flatMap(({ policy }) => policy?.rules ?? [])
  return rules.length === arms.length && new Set(rules).size === rules.length && rules.length >= LEAST_POINTS
}

function titleOf({ arms, plan }: Comparison): string {
  if (plan.kind === 'saturate') return 'throughput by number of rules'
  return arms[0]?.request.connection === 'per-request'
    ? 'new connections by number of rules'
    : 'established flows by number of rules'
}

function seriesOf(comparison: Comparison): Chart['series'][number] {
  const { arms, reference } = comparison
  const of = comparison.plan.kind === 'saturate' ? 'throughput' : 'p50'
  return {
    name: arms[0]?.policy?.enforcedBy ?? '',
    standIn: arms.some(({ standIn }) => standIn),
    points: arms
      .map((arm) => {
        const overhead = comparison.overheads.find(
          (each) => each.arm === arm.name && each.over === reference && each.of === of,
        )
        const own = arm.name === reference ? 0 : null
        return {
          x: arm.policy?.rules ?? 0,
          relative: overhead?.relative ?? own,
          low: overhead?.low ?? own,
          high: overhead?.high ?? own,
          valueUs: valueUs(arm),
        }
      })
      .toSorted((a, b) => a.x - b.x),
  }
}

function valueUs({ latencyUs }: Arm): number | null {
  return latencyUs?.p50 ?? null
}
