/** Widths and line breaks of text that may carry colours. */
import { stripVTControlCharacters } from 'node:util'
import { NBSP } from '../figures.ts'

/** Columns that a text takes in a terminal. */
export const textWidth = (text: string): number => [...stripVTControlCharacters(text)].length

/** Breaks at spaces, never at a no-break space; a single word longer than the width keeps its line. */
export function wrap(text: string, width: number, first = '', rest: string = first): string[] {
  const lines: string[] = []
  let line = first
  let empty = true
  for (const word of text.split(' ')) {
    if (!empty && textWidth(line) + 1 + textWidth(word) > width) {
      lines.push(line)
      line = rest
      empty = true
    }
    line += empty ? word : ` ${word}`
    empty = false
  }
  lines.push(line)
  return lines
}

/** Joins parts with a separator and breaks only between parts. */
export function flow(parts: readonly string[], width: number, indent: string, separator: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const part of parts) {
    if (line !== '' && textWidth(line) + textWidth(separator) + textWidth(part) > width) {
      lines.push(line.trimEnd())
      line = ''
    }
    line += line === '' ? indent + part : separator + part
  }
  return line === '' ? lines : [...lines, line]
}

/** The end of laying out: no-break spaces have done their work, trailing ones go. */
export const finished = (lines: readonly string[]): string =>
  `${lines.map((line) => line.replaceAll(NBSP, ' ').trimEnd()).join('\n')}\n`
