import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const TAIL_BYTES = 4096
const LINES = 8

/**
 * What a log says at its end, for an error message; empty when it says nothing. From the last error on where there is one,
 * without stack frames and the fields that Node prints after its errors: the message is what a reader needs.
 */
export function lastLines(file: string): string {
  const lines = tail(file)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !NOISE.test(line))
  const error = lines.findLastIndex((line) => ERROR.test(line))
  return (error === -1 ? lines.slice(-LINES) : lines.slice(error, error + LINES)).join(' | ')
}

const ERROR = /^(?:Uncaught )?(?:[A-Z]\w*)?(?:Error|Exception)(?: \[\w+\])?: /
const NOISE = /^(?:at .+[:(].*|[{}^]|\w+: .+,|port: \d+|Emitted 'error' event .*|Node\.js v[\d.]+)$/

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
