import type { Re2 } from './policy.ts'

/** Why RE2 (google/re2, doc/syntax.txt), and so Envoy, doesn't take an expression. */
export class Re2Error extends Error {
  override readonly name = 'Re2Error'
}

const POSIX_CLASSES: { readonly [name: string]: string } = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: String.raw`\x00-\x7F`,
  blank: String.raw`\t `,
  cntrl: String.raw`\x00-\x1F\x7F`,
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: String.raw`\t\n\v\f\r `,
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
}
/** RE2's limit for {n,m}. */
const MOST_REPEATS = 1000

/**
 * Reads an expression that must match a whole value.
 * @throws Re2Error for what RE2 doesn't have (lookaround, backreferences, possessive repetition …) and for what is no expression.
 */
export function parseRe2(source: string): Re2 {
  const reader = new Reader(source)
  const body = alternatives(reader, 0)
  if (!reader.done) throw new Re2Error('a closing bracket ) without an opening one')
  const javascript = `^(?:${body})$`
  try {
    RegExp(javascript, 'u')
  } catch (error) {
    throw new Re2Error(error instanceof Error ? error.message.replace(/^.*: /, '') : String(error))
  }
  return { source, javascript }
}

class Reader {
  readonly #text: readonly string[]
  #at = 0

  constructor(text: string) {
    this.#text = [...text]
  }

  get done(): boolean {
    return this.#at >= this.#text.length
  }

  peek(length = 1): string {
    return this.#text.slice(this.#at, this.#at + length).join('')
  }

  take(length = 1): string {
    const taken = this.peek(length)
    this.#at += length
    return taken
  }

  /** Takes what the pattern matches here. */
  takeMatch(pattern: RegExp): RegExpExecArray | undefined {
    const match = pattern.exec(this.#text.slice(this.#at).join(''))
    if (match) this.#at += [...match[0]].length
    return match ?? undefined
  }
}

function alternatives(reader: Reader, depth: number): string {
  if (depth > 100) throw new Re2Error('brackets nested too deeply')
  let out = ''
  while (!reader.done && reader.peek() !== ')') {
    if (reader.peek() === '|') out += reader.take()
    else out += repeated(reader, depth)
  }
  return out
}

function repeated(reader: Reader, depth: number): string {
  const what = reader.peek()
  if ('*+?'.includes(what)) throw new Re2Error(`nothing to repeat before ${what}`)
  const atom = oneAtom(reader, depth)
  const repetition = reader.takeMatch(/^(?:[*+?]|\{\d+(?:,\d*)?\})/)?.[0]
  if (repetition === undefined) return atom
  for (const count of repetition.match(/\d+/g) ?? []) {
    if (Number(count) > MOST_REPEATS) throw new Re2Error(`${repetition} repeats more than ${MOST_REPEATS} times`)
  }
  const lazy = reader.peek() === '?' ? reader.take() : ''
  if (reader.takeMatch(/^(?:[*+?]|\{\d+(?:,\d*)?\})/)) {
    throw new Re2Error('RE2 has no possessive and no double repetition (as a*+ or a**)')
  }
  return `${atom}${repetition}${lazy}`
}

function oneAtom(reader: Reader, depth: number): string {
  switch (reader.peek()) {
    case '(':
      return group(reader, depth)
    case '[':
      return characterClass(reader)
    case '\\':
      return escape(reader, false)
    case '.':
      // One code point that is no line end, as in RE2 without (?s).
      reader.take()
      return String.raw`[^\n]`
    case '^':
    case '$':
      return reader.take()
    default: {
      const character = reader.take()
      return /[{}\]/]/.test(character) ? `\\${character}` : character
    }
  }
}

function group(reader: Reader, depth: number): string {
  reader.take()
  let open = '('
  if (reader.peek() === '?') {
    if (reader.takeMatch(/^\?(?:=|!|<=|<!)/)) throw new Re2Error('RE2 has no lookahead and no lookbehind')
    if (reader.takeMatch(/^\?>/)) throw new Re2Error('RE2 has no atomic groups')
    const flags = reader.takeMatch(/^\?(?:P?<(?<name>\w+)>|:|(?<on>[imsU]+):)/)
    if (!flags)
      throw new Re2Error(
        `the lab doesn't know groups that begin with (${reader.peek(2)}, except (?:…), (?i:…) and names`,
      )
    const { on } = flags.groups ?? {}
    if (on !== undefined && on !== 'i') throw new Re2Error('of the flags, the lab knows (?i:…) only')
    open = on === undefined ? '(?:' : '(?i:'
  }
  const inside = alternatives(reader, depth + 1)
  if (reader.take() !== ')') throw new Re2Error('an opening bracket ( is never closed')
  return `${open}${inside})`
}

function characterClass(reader: Reader): string {
  let out = reader.take()
  if (reader.peek() === '^') out += reader.take()
  // A bracket right at the start stands for itself.
  if (reader.peek() === ']') {
    reader.take()
    out += String.raw`\]`
  }
  while (!reader.done && reader.peek() !== ']') {
    const posix = reader.takeMatch(/^\[:(\^?)(\w+):\]/)
    if (posix) {
      const [, negated = '', name = ''] = posix
      const members = POSIX_CLASSES[name]
      if (members === undefined || negated !== '') throw new Re2Error(`there is no class ${posix[0]} here`)
      out += members
    } else if (reader.peek() === '\\') {
      out += escape(reader, true)
    } else {
      const character = reader.take()
      out += /[[/(){}|&]/.test(character) ? classMember(character) : character
    }
  }
  if (reader.take() !== ']') throw new Re2Error('an opening bracket [ is never closed')
  return `${out}]`
}

function classMember(character: string): string {
  return character === '&' ? character : `\\${character}`
}

function escape(reader: Reader, inClass: boolean): string {
  reader.take()
  if (reader.done) throw new Re2Error('a backslash at the end')
  if (/^[1-9]$/.test(reader.peek())) throw new Re2Error('RE2 has no backreferences')
  const hex = reader.takeMatch(/^x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/)
  if (hex) return `\\u{${hex[1] ?? hex[2] ?? ''}}`
  const character = reader.take()
  if (/[dDwWsS]/.test(character)) {
    // RE2's classes are ASCII, and \s has no vertical tab.
    if (character === 's') return inClass ? String.raw`\t\n\f\r ` : String.raw`[\t\n\f\r ]`
    if (character === 'S') {
      if (inClass) throw new Re2Error(String.raw`the lab doesn't know \S within [ ]`)
      return String.raw`[^\t\n\f\r ]`
    }
    return `\\${character}`
  }
  if (/[tnrfv]/.test(character)) return `\\${character}`
  if (/[bB]/.test(character) && !inClass) return `\\${character}`
  if (character === 'A' && !inClass) return '^'
  if (character === 'z' && !inClass) return '$'
  if (/[\p{L}\p{N}]/u.test(character)) throw new Re2Error(`RE2, or the lab, doesn't know \\${character}`)
  // Punctuation stands for itself; JavaScript's u flag wants it escaped only where it has a meaning.
  if (/[\^$\\.*+?()[\]{}|/]/.test(character) || (inClass && character === '-')) return `\\${character}`
  return character
}
