/** What else bears on a comparison's rows: the generator, drift and parity, in sentences. */
import type { Comparison } from '../../measure/record.ts'
import { change, microseconds, share } from '../figures.ts'
import { DRIFT_P } from '../drift.ts'

function generatorSentences({ generator, blocks }: Comparison): string[] {
  const invalid =
    generator.invalidBlocks === 0
      ? 'no invalid blocks'
      : `${generator.invalidBlocks} of ${blocks.length} blocks invalid and not counted`
  const taken = generator.polling
    ? 'The load agent had its CPU to itself and polled'
    : `The load agent took ${microseconds(generator.cpuUsPerRequest)} of CPU a request, ${share(generator.cpuShare)} of one CPU`
  const own = `${taken}: ${invalid}.`
  return [own, ...generator.warnings.map((warning) => `Warning: ${warning}.`)]
}

function driftSentence({ drift, reference }: Comparison): string {
  if (drift === null) return 'Drift was not tested.'
  if (drift.p >= DRIFT_P) return 'No drift.'
  return `${reference} drifted by ${change(drift.perMinute)} a minute (p ${drift.p.toPrecision(1)}).`
}

function paritySentence({ parity }: Comparison): string {
  if (parity.differences.length === 0) return 'The arms are alike in every trait that was checked.'
  const parts = parity.differences.map(({ trait, values, blocking }) => {
    const sides = Object.entries(values)
      .map(([arm, value]) => `${arm} ${value}`)
      .join(', ')
    return `${trait} (${sides})${blocking ? ', which forbids any verdict' : ''}`
  })
  return `The arms differ in ${parts.join('; ')}.`
}

/** The sentences, in the order in which they matter. */
export const circumstances = (comparison: Comparison): string[] => [
  paritySentence(comparison),
  driftSentence(comparison),
  ...generatorSentences(comparison),
]
