/** The headline table's data: for each spec and test, the baseline and every mesh that was compared with it. */
import type { Arm, Comparison, LatencyUs, MeshmarkRecord, Overhead } from '../measure/record.ts'
import { isControl } from '../measure/noise-floor.ts'

/** One row: an arm and what is known of it. null is "not measured". */
export interface HeadlineRow {
  arm: Arm
  requestsPerS: number | null
  latencyUs: LatencyUs | null
  cpuAppUs: number | null
  cpuMeshUs: number | null
  memoryDataBytes: number | null
  memoryControlBytes: number | null
  /** p50 against the reference of its own comparison; null for the baseline's own row. */
  overheads: Overhead[] | null
}

/** The rows of one test of a spec. */
export interface HeadlineTest {
  spec: string
  test: string
  rows: HeadlineRow[]
}

const isMeshAgainstBaseline = ({ arms, reference }: Comparison): boolean =>
  arms.length === 2 &&
  arms.some((arm) => arm.name === reference && arm.mesh === 'baseline') &&
  arms.some((arm) => arm.name !== reference && arm.mesh !== 'baseline')

/** Measured to be explained, not to be judged: its figures stand in the breakdown. */
const isBreakdown = ({ explanations, overheads }: Comparison): boolean =>
  explanations.length > 0 && overheads.every(({ outcome }) => outcome === null)

/** What is sent, by which arm: two comparisons with the same load are of the same thing. */
const loadOf = ({ arms }: Comparison): string =>
  JSON.stringify(
    arms.map(({ name, protocol, request: { method, path, bodyBytes, connection } }) => [
      name,
      protocol,
      method,
      path,
      bodyBytes,
      connection,
    ]),
  )

function usageSum(arm: Arm, of: 'cpuUsPerRequest' | 'memoryBytes', components: readonly string[]): number | null {
  const figures = arm.usage.flatMap((usage) => (components.includes(usage.component) ? [usage[of]] : []))
  const measured = figures.filter((each) => each !== null)
  return measured.length === 0 ? null : measured.reduce((sum, each) => sum + each, 0)
}

/**
 * CPU of the data plane: its proxies, and what the kernel takes more than in the reference of the same comparison, so
 * that an eBPF path is counted and the network stack that everybody has is not.
 */
function cpuMesh(arm: Arm, reference: Arm): number | null {
  if (arm === reference || arm.mesh === 'baseline') return null
  const proxies = usageSum(arm, 'cpuUsPerRequest', ['sidecar', 'shared proxy'])
  const kernel = usageSum(arm, 'cpuUsPerRequest', ['kernel'])
  if (kernel === null) return proxies
  return (proxies ?? 0) + kernel - (usageSum(reference, 'cpuUsPerRequest', ['kernel']) ?? 0)
}

function rowOf(arm: Arm, comparison: Comparison, throughput: Comparison | undefined): HeadlineRow {
  const reference = comparison.arms.find((each) => each.name === comparison.reference) ?? arm
  const saturated = throughput?.arms.find((each) => each.name === arm.name)
  return {
    arm,
    requestsPerS: (comparison.plan.kind === 'saturate' ? arm : saturated)?.throughputPerS ?? null,
    // At saturation latencies are those of a queue: never shown as the mesh's.
    latencyUs: comparison.plan.kind === 'saturate' ? null : arm.latencyUs,
    cpuAppUs: usageSum(arm, 'cpuUsPerRequest', ['app']),
    cpuMeshUs: cpuMesh(arm, reference),
    memoryDataBytes:
      arm.mesh === 'baseline' ? null : usageSum(arm, 'memoryBytes', ['sidecar', 'shared proxy', 'kernel']),
    memoryControlBytes: usageSum(arm, 'memoryBytes', ['control plane']),
    overheads:
      arm === reference
        ? null
        : comparison.overheads.filter(
            ({ arm: of, over, of: metric }) => of === arm.name && over === comparison.reference && metric === 'p50',
          ),
  }
}

/** The headline's rows. Overheads are always those of a comparison's own pair, never computed across projects. */
export function headline(record: MeshmarkRecord): HeadlineTest[] {
  const eligible = record.comparisons.filter(
    (each) => !isBreakdown(each) && (isMeshAgainstBaseline(each) || isControl(each)),
  )
  const throughputs = eligible.filter((each) => each.plan.kind === 'saturate')
  const partnerOf = (latency: Comparison): Comparison | undefined =>
    throughputs.find(
      (each) => each.project === latency.project && each.spec === latency.spec && loadOf(each) === loadOf(latency),
    )
  const latencies = eligible.filter((each) => each.plan.kind !== 'saturate')
  const partners = new Set(latencies.map(partnerOf))
  const leading = [...latencies, ...throughputs.filter((each) => !partners.has(each))]

  // A test that compares twice (two payloads, say) makes two groups: the n-th comparison of each project belongs together.
  const groups = new Map<string, Comparison[]>()
  for (const each of leading) {
    const nth = leading
      .filter(({ project, spec, test }) => project === each.project && spec === each.spec && test === each.test)
      .indexOf(each)
    const key = JSON.stringify([each.spec, each.test, nth])
    groups.set(key, [...(groups.get(key) ?? []), each])
  }
  return [...groups.values()].flatMap((group) => {
    const first = group.find(isControl) ?? group[0]
    if (first === undefined) return []
    const rows = (comparison: Comparison, ofReference: boolean): HeadlineRow[] =>
      comparison.arms
        .filter((arm) => (arm.name === comparison.reference) === ofReference)
        .map((arm) => rowOf(arm, comparison, partnerOf(comparison)))
    const meshes = group.filter((each) => !isControl(each)).flatMap((each) => rows(each, false))
    // The second baseline arm is the noise floor's; it gets a row only where there is no mesh to show.
    const others = meshes.length > 0 ? meshes : rows(first, false)
    return [{ spec: first.spec, test: first.test, rows: [...rows(first, true), ...others] }]
  })
}
