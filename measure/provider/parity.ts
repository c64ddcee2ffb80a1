/** Parity before measuring: what must be equal is refused, what differs is printed. */
import type { FirstResponse } from '../agent/protocol.ts'
import type { LoadArm } from '../load-arm.ts'
import type { Plan } from '../load-options.ts'
import type { Comparison } from '../record.ts'
import type { Target } from '../target.ts'

export interface NamedArm extends LoadArm {
  readonly name: string
}

export type ParityDifference = Comparison['parity']['differences'][number]

/** What holds for all pods of an arm: they are deployed alike. */
export function targetOf(arm: NamedArm): Target {
  const [first] = arm.pods
  if (first === undefined) throw new Error(`"${arm.name}" has no pods: nothing can be measured`)
  return first
}

/** Traits that decide how fast an arm's processes run: with these unequal, a difference says nothing of the mesh. */
const BLOCKING = ['client cpus', 'server cpus', 'replicas', 'placement']

/**
 * Refuses arms that can't be compared.
 * @throws Error that says which arms differ in what
 */
export function assertComparable(arms: readonly NamedArm[]): Plan {
  const [first, ...others] = arms
  if (first === undefined) throw new Error('bench.compare() was given no arms')
  const names = new Set<string>()
  for (const arm of arms) {
    if (names.has(arm.name)) {
      throw new Error(
        `Two arms are named "${arm.name}": an arm compared with itself is no comparison. Name them apart.`,
      )
    }
    names.add(arm.name)
  }
  for (const other of others) {
    const [here, there] = [targetOf(first).protocol, targetOf(other).protocol]
    if (here !== there) {
      throw new Error(
        `Arms of different protocols can't be compared: "${first.name}" speaks ${here}, "${other.name}" speaks ${there}. Give both arms the same kind of load.`,
      )
    }
    for (const key of ['kind', 'precision', 'capMs', 'blockMs', 'connections', 'ratePerS'] as const) {
      if (other.plan[key] !== first.plan[key]) {
        throw new Error(
          `Arms must be measured alike: "${first.name}" has ${key} ${first.plan[key]}, "${other.name}" has ${other.plan[key]}. Pass the same plan, precision, cap, block, connections and rate to every load of a comparison.`,
        )
      }
    }
  }
  return first.plan
}

/** What differs between the arms; `blocking` ones leave every overhead unresolved. */
export function parityDifferences(arms: readonly NamedArm[], responses: readonly FirstResponse[]): ParityDifference[] {
  const traits = new Set(arms.flatMap((arm) => Object.keys(targetOf(arm).traits)))
  const differences: ParityDifference[] = []
  const compare = (trait: string, of: (arm: NamedArm) => string, blocking: boolean): void => {
    const values = Object.fromEntries(arms.map((arm) => [arm.name, of(arm)]))
    if (new Set(Object.values(values)).size > 1) differences.push({ trait, values, blocking })
  }
  for (const trait of traits)
    compare(trait, (arm) => String(targetOf(arm).traits[trait] ?? '–'), BLOCKING.includes(trait))
  compare('pods', (arm) => String(arm.pods.length), true)
  compare('connection', (arm) => arm.request.connection, false)
  compare('request body bytes', (arm) => String(arm.request.body.length), false)
  compare('path', (arm) => arm.request.path, false)
  const answered = new Map(responses.map((response) => [response.arm, response]))
  compare('response body bytes', (arm) => String(answered.get(arm.name)?.bodyBytes ?? '–'), false)
  compare('response status', (arm) => String(answered.get(arm.name)?.status ?? '–'), true)
  return differences
}
