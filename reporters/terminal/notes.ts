/** What a reader must know of how a comparison was measured: the generator, parity, drift, aborted measuring. */
import type { Comparison, MeshmarkRecord } from '../../measure/record.ts'
import { comparisonTitle } from '../arm-name.ts'
import { change, duration } from '../figures.ts'
import { DRIFT_P } from '../drift.ts'
import type { Paint, Tone } from './paint.ts'
import { wrap } from './text.ts'

interface Note {
  tone: Tone
  text: string
}

function notesOf(comparison: Comparison): Note[] {
  const { generator, parity, drift, stopped, blocks } = comparison
  const notes: Note[] = []
  for (const { trait, values, blocking } of parity.differences) {
    const sides = Object.entries(values)
      .map(([arm, value]) => `${arm} ${value}`)
      .join(', ')
    notes.push(
      blocking
        ? { tone: 'bad', text: `NOT COMPARABLE: the arms differ in ${trait} (${sides}): no overhead is resolved` }
        : { tone: 'quiet', text: `the arms differ in ${trait} (${sides})` },
    )
  }
  if (stopped.reason === 'aborted') {
    notes.push({ tone: 'unsure', text: `aborted after ${duration(stopped.measuredMs)} of measuring` })
  }
  if (generator.invalidBlocks > 0) {
    notes.push({
      tone: 'unsure',
      text: `${generator.invalidBlocks} of ${blocks.length} blocks are invalid and not counted`,
    })
  }
  for (const warning of generator.warnings) notes.push({ tone: 'unsure', text: `generator: ${warning}` })
  if (drift !== null && drift.p < DRIFT_P) {
    const direction = drift.perMinute > 0 ? 'dearer' : 'cheaper'
    const text = `${comparison.reference} drifted ${direction} by ${change(drift.perMinute)} a minute while it was measured`
    notes.push({ tone: 'unsure', text })
  }
  return notes
}

/** One line per note, led by its comparison. */
export function notes(record: MeshmarkRecord, columns: number, paint: Paint): string[] {
  const lines = record.comparisons.flatMap((comparison) =>
    notesOf(comparison).flatMap(({ tone, text }) =>
      wrap(`${comparisonTitle(comparison)}: ${text}`, columns, tone === 'quiet' ? ' · ' : ' ! ', '   ').map((line) =>
        paint(tone, line),
      ),
    ),
  )
  return lines.length === 0 ? [] : [...lines, '']
}
