/** Prints what the workers write to the progress file while they measure. */
import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import { type Progress, progressSchema } from '../measure/progress.ts'
import { progressLine } from './progress-line.ts'

const POLL_MS = 1000
const PRINT_MS = 5000

/** Follows a progress file until it is disposed of. */
export interface LiveProgress extends Disposable {
  /** Reads the file once, and prints it if it is news and the last line is long enough ago. */
  poll(): Promise<void>
}

/**
 * The last progress in a file of one JSON object, or of one per line; undefined where there is none (yet). A file caught
 * in the middle of being written is no error: the next poll sees it whole.
 */
export function readProgress(text: string): Progress | undefined {
  const last = text.trimEnd().split('\n').at(-1) ?? ''
  try {
    const result = v.safeParse(progressSchema, JSON.parse(last))
    return result.success ? result.output : undefined
  } catch {
    return undefined
  }
}

/** Starts to follow a progress file; a timer never keeps the process alive. */
export function followProgress(
  path: string,
  print: (line: string) => void,
  now: () => number = Date.now,
): LiveProgress {
  const startedAt = now()
  let printedAt = Number.NEGATIVE_INFINITY
  let lastSeen = startedAt
  const poll = async (): Promise<void> => {
    const progress = readProgress(await readFile(path, 'utf8').catch(() => ''))
    // An update from before this run, or one that was printed already, is no news.
    if (progress === undefined || progress.at <= lastSeen || now() - printedAt < PRINT_MS) return
    lastSeen = progress.at
    printedAt = now()
    print(progressLine(progress))
  }
  const timer = setInterval(() => void poll(), POLL_MS)
  timer.unref()
  return { poll, [Symbol.dispose]: () => clearInterval(timer) }
}
