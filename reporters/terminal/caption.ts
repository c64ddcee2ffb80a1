/** What stands above the tables: where and when it was measured, what the meshes are, and the noise floor. */
import type { EnvironmentDescription, MeshmarkRecord, Overhead } from '../../measure/record.ts'
import { duration, plusMinus } from '../figures.ts'
import { isControl, noiseFloors } from '../../measure/noise-floor.ts'
import { METRICS } from '../verdict.ts'
import type { Paint } from './paint.ts'
import { flow, textWidth, wrap } from './text.ts'

function environmentParts(environment: EnvironmentDescription): string[] {
  const { kind, cpus, kernel, envoy } = environment
  return [
    kind,
    `${cpus} CPU${cpus === 1 ? '' : 's'}`,
    /^\d/.test(kernel) ? `Linux ${kernel}` : kernel,
    ...(envoy === null ? [] : [`Envoy ${envoy}`]),
  ]
}

/** The sentence that a lab mesh is not the product; undefined where no arm is a stand-in. */
export function standInSentence(record: MeshmarkRecord): string | undefined {
  const arms = record.comparisons.flatMap((comparison) => comparison.arms)
  const names = [...new Set(arms.filter((arm) => arm.standIn).map((arm) => arm.mesh))].toSorted()
  if (names.length === 0) return undefined
  const last = names.at(-1) ?? ''
  return names.length === 1
    ? `The lab's ${last} is a stand-in (docs/lab.md): its kind and order of cost, not the product's.`
    : `The lab's ${names.slice(0, -1).join(', ')} and ${last} are stand-ins (docs/lab.md): their kind and order of cost, not the products'.`
}

function noiseFloorLines(record: MeshmarkRecord, columns: number, paint: Paint): string[] {
  if (record.comparisons.length === 0) return []
  const controls = record.comparisons.filter(isControl).filter((control) => noiseFloors(control).length > 0)
  if (controls.length === 0) {
    const hint = 'noise floor   not measured in this run: project baseline compares the baseline with itself'
    return wrap(hint, columns, ' ', '   ').map((line) => paint('unsure', line))
  }
  const head = 'noise floor (baseline against itself)'
  const lines = controls.map((control) => {
    const floors = noiseFloors(control).toSorted((a, b) => METRICS.indexOf(a.of) - METRICS.indexOf(b.of))
    return { test: control.test, parts: floors.map((floor) => `${floor.of} ${plusMinus(floor.reach)}`) }
  })
  const [only, ...others] = lines
  if (only !== undefined && others.length === 0) return flow([head, ...only.parts], columns, ' ', '   ')
  const width = Math.max(...lines.map(({ test }) => textWidth(test)))
  return [
    ` ${head}`,
    ...lines.flatMap(({ test, parts }) => flow([test.padEnd(width), ...parts], columns, '   ', '   ')),
  ]
}

const differs = ({ decisionLow, decisionHigh }: Overhead): boolean =>
  (decisionLow !== null && decisionLow > 0) || (decisionHigh !== null && decisionHigh < 0)

/**
 * A control that differs from itself says that the set-up is biased. By the decision bounds: one 95 % interval in twenty
 * leaves 0 out by chance.
 */
function biasLines(record: MeshmarkRecord, columns: number, paint: Paint): string[] {
  return record.comparisons.filter(isControl).flatMap((control) => {
    const biased = control.overheads.filter(differs)
    const metrics = [...new Set(biased.map((overhead) => overhead.of))]
    if (metrics.length === 0) return []
    const text = `${control.test}: the baseline differs from itself in ${metrics.join(', ')}: differences of that size are noise`
    return wrap(text, columns, ' ', '   ').map((line) => paint('unsure', line))
  })
}

/** The lines above the tables. */
export function caption(record: MeshmarkRecord, columns: number, paint: Paint): string[] {
  const { run, environment } = record
  const place = environment === null ? ['no environment on record'] : environmentParts(environment)
  const parts = [...place, `seed ${run.seed}`, duration(run.durationMs)]
  const [first = '', ...others] = flow(parts, columns, ' meshmark   ', ' · ')
  const standIn = standInSentence(record)
  const notes = (environment?.meshes ?? []).flatMap((mesh) => mesh.notes.map((note) => `${mesh.name}: ${note}`))
  return [
    first.replace('meshmark', paint('strong', 'meshmark')),
    ...others,
    ...(run.reason === 'interrupted'
      ? [paint('unsure', ' PARTIAL: the run was interrupted; this is what was measured until then.')]
      : []),
    ...(standIn === undefined ? [] : wrap(standIn, columns, ' ')),
    ...notes.flatMap((note) => wrap(note, columns, ' ', '   ')),
    ...noiseFloorLines(record, columns, paint),
    ...biasLines(record, columns, paint),
  ]
}
