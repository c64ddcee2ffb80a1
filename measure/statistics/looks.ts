import { MINIMUM_BLOCKS } from './block-estimate.ts'

/** Looks at the data that may end the measuring. */
export const MAXIMUM_LOOKS = 4

/**
 * How far over the cap measuring goes on for the fewest blocks that say anything. Until then nothing can be seen, so that no lucky moment is
 * picked; without it a cap of half a minute ends with "1 more is needed" in an hour in which the machine is slow.
 */
const MOST_OF_CAP = 1.25

/**
 * Look times, fixed before measuring: quarters of the cap, in ms from the start of measuring; the last is the cap.
 * Looks that would see fewer than MINIMUM_BLOCKS blocks are left out, so that no error is spent on them.
 * @param blockMs time a block takes, its connections and discarded rounds included; unknown: 0
 * @throws RangeError for a cap that is not a positive number.
 */
export function planLooks(capMs: number, blockMs: number = 0): number[] {
  if (!(capMs > 0 && Number.isFinite(capMs))) throw new RangeError(`The cap is a positive time in ms, not ${capMs}`)
  const looks: number[] = []
  for (let look = 1; look < MAXIMUM_LOOKS; look++) {
    const atMs = (capMs * look) / MAXIMUM_LOOKS
    if (atMs >= MINIMUM_BLOCKS * blockMs) looks.push(atMs)
  }
  return [...looks, capMs]
}

export interface StopQuestion {
  /** From `planLooks`. */
  looksMs: readonly number[]
  /** Looks already taken, as the last answer gave it; 0 at the start. */
  looksTaken: number
  /** Time from the start of measuring. */
  measuredMs: number
  /** Valid blocks until now. */
  blocks: number
  /** Widest half-width of the 95 % intervals over the arms, in the unit of `precision`; null while there is no estimate. */
  halfWidth: number | null
  precision: number
}

export interface StopAnswer {
  /** Why measuring ends now; null: it goes on. */
  stop: 'precision' | 'cap' | null
  /** Looks taken, to be handed to the next question. */
  looksTaken: number
}

/**
 * Whether measuring ends, to be asked after every block. Precision counts only at a look: asked more often, the rule would pick
 * lucky moments. One answer takes all look times that have passed as one look. The budget plays no part.
 */
export function shouldStop(question: StopQuestion): StopAnswer {
  const { looksMs, looksTaken, measuredMs, blocks, halfWidth, precision } = question
  const passed = looksMs.filter((lookMs) => lookMs <= measuredMs).length
  if (passed <= looksTaken) return { stop: null, looksTaken }
  if (halfWidth !== null && halfWidth <= precision) return { stop: 'precision', looksTaken: passed }
  if (passed < looksMs.length) return { stop: null, looksTaken: passed }
  const isAtEnd = blocks >= MINIMUM_BLOCKS || measuredMs >= MOST_OF_CAP * (looksMs.at(-1) ?? 0)
  return isAtEnd ? { stop: 'cap', looksTaken: passed } : { stop: null, looksTaken }
}
