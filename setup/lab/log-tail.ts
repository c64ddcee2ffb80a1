import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const TAIL_BYTES = 4096
const LINES = 6

/** The last lines of a log, for an error message; empty when there are none. Stack frames are left out: the message above them is what a reader needs. */
export function lastLines(file: string): string {
  return tail(file)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^at .+[:(]/.test(line))
    .slice(-LINES)
    .join(' | ')
}

/** The last 4 KiB of a file as it is. */
export function tail(file: string): string {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch {
    return ''
  }
  try {
    const { size } = fstatSync(descriptor)
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES))
    readSync(descriptor, buffer, 0, buffer.length, size - buffer.length)
    return buffer.toString('utf8')
  } finally {
    closeSync(descriptor)
  }
}
