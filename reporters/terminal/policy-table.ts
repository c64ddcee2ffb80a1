/** The policy table: what each way of enforcing costs, that it was enforced, and what it dropped. */
import type { Arm, ArmPolicy, Comparison, MeshmarkRecord, Metric } from '../../measure/record.ts'
import { armName, comparisonTitle, nameOfArm } from '../arm-name.ts'
import { ABSENT, estimate, microseconds } from '../figures.ts'
import { includesZero } from '../verdict.ts'
import { type Paint, paintOutcome } from './paint.ts'
import { type Column, table } from './table.ts'
import { wrap } from './text.ts'

const left = (...heading: string[]): Column => ({ heading, align: 'left', gap: 3 })
const right = (...heading: string[]): Column => ({ heading, align: 'right', gap: 3 })

const isInChart = (record: MeshmarkRecord, { arms }: Comparison): boolean =>
  record.charts.some((chart) => chart.series.some(({ points }) => points.length === arms.length)) &&
  arms.every(({ policy }) => policy !== null)

/** A table for each comparison with a policy in it; those that are a chart are shown as such. */
export function policyTable(record: MeshmarkRecord, columns: number, paint: Paint): string[] {
  return record.comparisons.flatMap((comparison) => {
    const has = comparison.arms.some(({ policy }) => policy !== null)
    if (!has || isInChart(record, comparison)) return []
    return [...comparisonTable(comparison, paint), ...dropLines(comparison, columns, paint), '']
  })
}

function comparisonTable(comparison: Comparison, paint: Paint): string[] {
  const { arms, reference, plan } = comparison
  const main: Metric = plan.kind === 'saturate' ? 'throughput' : 'p50'
  const heading: Column[] = [
    { heading: [paint('strong', comparisonTitle(comparison))], align: 'left', gap: 1 },
    left(`${main} against ${nameOfArm(comparison, reference)}`),
    left('cpu'),
    right('eBPF programs'),
    right('rules'),
    left('enforced'),
  ]
  return table(
    heading,
    arms.map((arm) => [
      armName(arm),
      ...(arm.name === reference
        ? [paint('quiet', 'reference'), '']
        : [cell(comparison, arm, main, paint), cell(comparison, arm, 'cpu', paint)]),
      arm.kernel === null || arm.kernel.programs.length === 0 ? ABSENT : microseconds(arm.kernel.programsUsPerRequest),
      arm.policy === null ? ABSENT : arm.policy.rules.toLocaleString('en-US'),
      arm.policy === null ? ABSENT : enforcedText(arm.policy),
    ]),
  )
}

function cell({ overheads, reference }: Comparison, arm: Arm, of: Metric, paint: Paint): string {
  const own = overheads.filter((each) => each.arm === arm.name && each.of === of)
  const judged = own.find(({ over, outcome }) => over === reference && outcome !== null)
  const overhead = judged ?? own.find(({ over }) => over === reference)
  if (overhead === undefined || overhead.relative === null) return 'unresolved'
  const text = estimate(overhead.relative, overhead.low, overhead.high)
  if (overhead.outcome !== null) return `${text} ${paintOutcome(paint, overhead.outcome, overhead.outcome)}`
  return includesZero(overhead) ? `${text} ~` : text
}

/** Flows that were tried before anything was measured. */
function enforcedText({ enforcedBy, verified: { allowed, denied } }: ArmPolicy): string {
  return `${enforcedBy}: ${allowed} flows allowed, ${denied} denied`
}

function dropLines(comparison: Comparison, columns: number, paint: Paint): string[] {
  return comparison.arms.flatMap((arm) => {
    const drops = Object.entries(
      Object.groupBy(arm.policy?.drops ?? [], ({ reason, rule }) => (rule === null ? reason : `${reason}: ${rule}`)),
    )
    if (drops.length === 0) return []
    const said = drops.map(([reason, list = []]) => `${list.reduce((sum, { packets }) => sum + packets, 0)} ${reason}`)
    return wrap(`${armName(arm)} dropped ${said.join(', ')}`, columns, ' · ', '   ').map((line) => paint('quiet', line))
  })
}
