import { styleText } from 'node:util'
import type { Outcome } from '../../measure/record.ts'

/** What a colour is for; renderers name the purpose, not the colour. */
export type Tone = 'strong' | 'quiet' | 'good' | 'bad' | 'unsure'
/** Dresses text for a terminal, or leaves it plain. */
export type Paint = (tone: Tone, text: string) => string

const FORMAT = { strong: 'bold', quiet: 'dim', good: 'green', bad: 'red', unsure: 'yellow' } as const

/** No colour at all. */
export const plain: Paint = (_tone, text) => text

/** Colour always: the caller has decided (see `paintFor`). */
export const coloured: Paint = (tone, text) =>
  text === '' ? '' : styleText(FORMAT[tone], text, { validateStream: false })

/** Colour if the stream shows it and NO_COLOR, NODE_DISABLE_COLORS and FORCE_COLOR allow it, by Node's own rule. */
export const paintFor = (stream: NodeJS.WritableStream): Paint =>
  styleText('red', 'x', { stream, validateStream: true }) === 'x' ? plain : coloured

/** An outcome in its colour. Text without an outcome is never green. */
export function paintOutcome(paint: Paint, outcome: Outcome | null, text: string): string {
  if (outcome === null) return text
  return paint(outcome === 'pass' ? 'good' : outcome === 'fail' ? 'bad' : 'unsure', text)
}
