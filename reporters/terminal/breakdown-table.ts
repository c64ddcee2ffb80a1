/** Where the mean of a request goes, as the probes saw it: a row of parts that add up for each arm, and each part's own percentiles. */
import type { Breakdown, Comparison, Explanation, MeshmarkRecord, Part } from '../../measure/record.ts'
import { comparisonTitle, nameOfArm } from '../arm-name.ts'
import { ABSENT, bytes, figure, figureOrAbsent, NBSP, share } from '../figures.ts'
import type { Paint } from './paint.ts'
import { type Column, table } from './table.ts'
import { wrap } from './text.ts'

const OWN =
  "own p50 and p99: the part's own, which do not add up; of kernel queues they are of one wait in one socket, of wire of one way, of which a request has two for each hop"
const PARTS: readonly Part[] = ['app', 'client proxy', 'server proxy', 'kernel queues', 'wire', 'unexplained']

/** Nothing where no arm was watched. */
export function breakdownTable(record: MeshmarkRecord, columns: number, paint: Paint): string[] {
  return record.comparisons.flatMap((comparison) =>
    comparison.explanations.length === 0 ? [] : [...ofComparison(comparison, columns, paint), ''],
  )
}

function ofComparison(comparison: Comparison, columns: number, paint: Paint): string[] {
  const broken = comparison.explanations.flatMap(({ arm, breakdown }) =>
    breakdown === null ? [] : [{ arm, breakdown }],
  )
  const parts = PARTS.filter((part) => broken.some(({ breakdown }) => partOf(breakdown, part) !== undefined))
  const heading: Column[] = [
    { heading: [paint('strong', `${comparisonTitle(comparison)}, µs`)], align: 'left', gap: 1 },
    { heading: [''], align: 'left', gap: 2 },
    ...['whole', ...parts].map((part): Column => ({ heading: [part], align: 'right', gap: 3 })),
  ]
  const rows = broken.flatMap(({ arm, breakdown }) => rowsOf(nameOfArm(comparison, arm), breakdown, parts))
  return [
    ...(rows.length === 0
      ? [` ${paint('strong', comparisonTitle(comparison))}`]
      : [...table(heading, rows), ...wrap(OWN, columns, ' ', '   ').map((line) => paint('quiet', line))]),
    ...changes(comparison, broken).flatMap((line) => wrap(line, columns, ' ', '   ')),
    ...comparison.explanations.flatMap((seen) =>
      wrap(`${nameOfArm(comparison, seen.arm)}: ${sentence(seen)}`, columns, ' · ', '   ').map((line) =>
        paint('quiet', line),
      ),
    ),
  ]
}

function rowsOf(name: string, breakdown: Breakdown, parts: readonly Part[]): string[][] {
  const row = (label: string, of: string, whole: number | null, cell: (part: Part) => number | null | undefined) => [
    label,
    of,
    figureOrAbsent(whole),
    ...parts.map((part) => figureOrAbsent(cell(part))),
  ]
  return [
    row(name, 'mean', breakdown.meanUs, (part) => partOf(breakdown, part)?.meanUs),
    row('', 'own p50', breakdown.p50Us, (part) => partOf(breakdown, part)?.p50Us),
    row('', 'own p99', breakdown.p99Us, (part) => partOf(breakdown, part)?.p99Us),
  ]
}

function partOf({ parts }: Breakdown, part: Part): Breakdown['parts'][number] | undefined {
  return parts.find(({ name }) => name === part)
}

/** `where istio's +448 µs goes: client proxy 171 · server proxy 183 · …`, largest first. */
function changes(comparison: Comparison, broken: readonly { arm: string; breakdown: Breakdown }[]): string[] {
  const reference = broken.find(({ arm }) => arm === comparison.reference)?.breakdown
  if (reference === undefined) return []
  return broken.flatMap(({ arm, breakdown }) => {
    if (breakdown === reference) return []
    const parts = PARTS.flatMap((name) => {
      const us = (partOf(breakdown, name)?.meanUs ?? 0) - (partOf(reference, name)?.meanUs ?? 0)
      return us === 0 ? [] : [{ name, us }]
    }).toSorted((a, b) => Math.abs(b.us) - Math.abs(a.us))
    const said = parts.map(({ name, us }) => `${name} ${signed(us)}`.replaceAll(' ', NBSP))
    const whole = breakdown.meanUs - reference.meanUs
    return [`where ${nameOfArm(comparison, arm)}'s ${signed(whole)} µs of the mean go: ${said.join(' · ')}`]
  })
}

function signed(us: number): string {
  return us > 0 ? `+${figure(us)}` : figure(us)
}

function sentence(seen: Explanation): string {
  const { breakdown, drops, connections, cost } = seen
  return [
    seen.attached === 'apart'
      ? `probes attached after the measuring, ${seen.requests.toLocaleString('en-US')} requests`
      : `probes attached throughout: the overheads hold their cost; ${seen.requests.toLocaleString('en-US')} requests`,
    ...(drops === null ? [] : [dropText(drops)]),
    ...(connections === null ? [] : [connectionText(connections)]),
    `probes' own cost ${cost.nsPerRequest === null ? ABSENT : `${figure(cost.nsPerRequest / 1000)}${NBSP}µs a request`}, ${bytes(cost.mapBytes)} of maps, ${seen.lost === 0 ? 'nothing lost' : `${seen.lost} events LOST`}`,
    ...(breakdown?.doubts ?? []).map((doubt) => `doubtful: ${doubt}`),
    ...seen.warnings,
  ].join('; ')
}

function dropText({ total, byClass }: NonNullable<Explanation['drops']>): string {
  if (total === 0) return 'no packet dropped'
  const classes = Object.entries(byClass).filter(([, count]) => count > 0)
  return `dropped ${classes.map(([name, count]) => `${count} (${name})`).join(', ')}`
}

function connectionText({ opened, failed, reuseRate, retransmits }: NonNullable<Explanation['connections']>): string {
  const reused = reuseRate === null ? '' : `, ${share(reuseRate)} of requests on a used one`
  const again = retransmits === null || retransmits === 0 ? '' : `, ${retransmits} segments sent again`
  return `${opened} connections opened, ${failed} failed${reused}${again}`
}
