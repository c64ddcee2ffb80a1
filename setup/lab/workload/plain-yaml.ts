/**
 * The YAML that manifests are mostly written in, read in a twentieth of the time that the whole language takes: block mappings and lists,
 * a scalar a line, comments, `---`. Whatever else there is in a text (anchors, flow collections with something in them, block scalars,
 * escapes, tabs, a key twice), this reader gives up, and the text is the `yaml` package's: it may know less than that, never anything else.
 */

export interface PlainDocument {
  readonly value: unknown
  /** Of its first value, from 1. */
  readonly line: number
  readonly column: number
}

interface Line {
  readonly indent: number
  readonly text: string
  readonly number: number
}

/** Names that need no quotes, and mean no other type: a letter first, then what has no meaning in YAML. */
const KEY = /^([A-Za-z][\w./-]*):(?: +(.*))?$/
const QUOTED_KEY = /^(?:"([^"\\]*)"|'([^']*)'):(?: +(.*))?$/
const QUOTED = /^(?:"([^"\\]*)"|'([^']*)')$/
/** Neither an indicator at its beginning, nor anything in it that could end it. */
const PLAIN = /^[A-Za-z/](?:[\w./*:-]*[\w./*-])?$/
const INTEGER = /^(?:0|[1-9]\d{0,14})$/
const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[\da-f]{1,4}(?::[\da-f]{0,4}){2,6}:[\da-f]{1,4})(?:\/\d{1,3})?$/
/** Words that the core schema, or an older one that a reader may have in mind, takes for something else than text. */
const AMBIGUOUS = /^(?:null|true|false|yes|no|on|off|y|n)$/i

/** Thrown and caught here only. */
class NotPlain extends Error {}

/** @returns undefined where the text is, or could be, more than this reader knows */
export function readPlainYaml(text: string): PlainDocument[] | undefined {
  if (!/^[\x20-\x7e\n]*$/.test(text)) return undefined
  try {
    return documentsOf(text.split('\n')).map((lines) => new Reader(lines).document())
  } catch (error) {
    if (error instanceof NotPlain) return undefined
    throw error
  }
}

/** The lines that say something, document by document; one that says nothing is none. */
function documentsOf(lines: readonly string[]): Line[][] {
  const documents: Line[][] = []
  let current: Line[] = []
  for (const [index, line] of lines.entries()) {
    if (line === '---') {
      documents.push(current)
      current = []
      continue
    }
    const text = line.trim()
    if (text === '' || text.startsWith('#')) continue
    if (/^(?:---|\.\.\.|%)/.test(line)) throw new NotPlain()
    current.push({ indent: line.length - line.trimStart().length, text, number: index + 1 })
  }
  return [...documents, current].filter((document) => document.length > 0)
}

class Reader {
  readonly #lines: Line[]
  #at = 0

  constructor(lines: readonly Line[]) {
    this.#lines = [...lines]
  }

  document(): PlainDocument {
    const first = this.#lines[0]
    if (first === undefined) throw new NotPlain()
    const { indent, number } = first
    const value = this.#block(indent)
    if (this.#at < this.#lines.length) throw new NotPlain()
    return { value, line: number, column: indent + 1 }
  }

  #block(indent: number): unknown {
    return isItem(this.#lines[this.#at]?.text ?? '') ? this.#list(indent) : this.#mapping(indent)
  }

  #list(indent: number): unknown[] {
    const items: unknown[] = []
    for (;;) {
      const line = this.#lines[this.#at]
      if (line?.indent !== indent || !isItem(line.text)) return items
      items.push(this.#item(line))
    }
  }

  #item({ indent, text, number }: Line): unknown {
    const rest = text.slice(1)
    const content = rest.trimStart()
    if (content === '') throw new NotPlain()
    if (isItem(content) || keyOf(content) !== undefined) {
      // What stands behind the dash is a block of its own, as far to the right as it stands there.
      const inner = { indent: indent + 1 + rest.length - content.length, text: content, number }
      this.#lines[this.#at] = inner
      return this.#block(inner.indent)
    }
    this.#at++
    return this.#scalar(content, indent)
  }

  #mapping(indent: number): { [name: string]: unknown } {
    const fields: { [name: string]: unknown } = {}
    const start = this.#at
    for (;;) {
      const line = this.#lines[this.#at]
      const found = line?.indent === indent ? keyOf(line.text) : undefined
      if (found === undefined) break
      const { name, rest } = found
      if (Object.hasOwn(fields, name) || name === '__proto__') throw new NotPlain()
      this.#at++
      fields[name] = rest === '' ? this.#below(indent) : this.#scalar(rest, indent)
    }
    if (this.#at === start) throw new NotPlain()
    return fields
  }

  /** A key's value on the lines after it: further to the right, or a list right below it; nothing is null. */
  #below(indent: number): unknown {
    const line = this.#lines[this.#at]
    if (line === undefined || line.indent < indent) return null
    if (line.indent > indent) return this.#block(line.indent)
    return isItem(line.text) ? this.#list(indent) : null
  }

  /** A value on the line of its key or dash; nothing of it may go on below. */
  #scalar(text: string, indent: number): unknown {
    const line = this.#lines[this.#at]
    if (line !== undefined && line.indent > indent) throw new NotPlain()
    if (text === '{}') return {}
    if (text === '[]') return []
    const quoted = QUOTED.exec(text)
    if (quoted) return quoted[1] ?? quoted[2] ?? ''
    if (text === 'true' || text === 'false') return text === 'true'
    if (INTEGER.test(text)) return Number(text)
    if (ADDRESS.test(text)) return text
    if (!PLAIN.test(text) || AMBIGUOUS.test(text)) throw new NotPlain()
    return text
  }
}

function isItem(text: string): boolean {
  return text.startsWith('- ') || text === '-'
}

function keyOf(text: string): { name: string; rest: string } | undefined {
  const plain = KEY.exec(text)
  if (plain) {
    const [, name = '', rest = ''] = plain
    // `null: 1` has the key null.
    return AMBIGUOUS.test(name) ? undefined : { name, rest }
  }
  const quoted = QUOTED_KEY.exec(text)
  return quoted ? { name: quoted[1] ?? quoted[2] ?? '', rest: quoted[3] ?? '' } : undefined
}
