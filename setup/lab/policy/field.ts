import { fieldPath } from '../workload/yaml-source.ts'
import type { FieldPath } from '../workload/yaml-source.ts'

/**
 * A value of a manifest and where it stands. Its path is put together when it is asked for: ten thousand rules have a hundred thousand
 * fields, and few are ever named.
 */
export class Field {
  readonly value: unknown
  readonly #parent: Field | undefined
  readonly #name: string | number

  /** Without `parent`, the document. */
  constructor(value: unknown, parent?: Field, name: string | number = '') {
    this.value = value
    this.#parent = parent
    this.#name = name
  }

  get path(): FieldPath {
    return this.#parent === undefined ? [] : [...this.#parent.path, this.#name]
  }

  /** As `fieldPath(path)`. */
  get place(): string {
    return this.#placeBelow() || fieldPath([])
  }

  #placeBelow(): string {
    if (this.#parent === undefined) return ''
    const above = this.#parent.#placeBelow()
    if (typeof this.#name === 'number') return `${above}[${this.#name}]`
    return above === '' ? this.#name : `${above}.${this.#name}`
  }
}

/** What is wrong with a field. The reader of the file adds line and column. */
export class FieldError extends Error {
  override readonly name = 'FieldError'
  readonly path: FieldPath
  readonly reason: string

  constructor(path: FieldPath, reason: string) {
    super(`${fieldPath(path)}: ${reason}`)
    this.path = path
    this.reason = reason
  }
}

/**
 * The fields of a mapping; one without a value (null) is not there, as for Kubernetes.
 * @throws FieldError for a field that is in neither list, or in `refused`, with its reason.
 */
export function fieldsOf<const TKnown extends string>(
  field: Field,
  known: readonly TKnown[],
  refused: { readonly [name: string]: string } = {},
): { readonly [name in TKnown]?: Field } {
  const { value } = field
  if (!isMapping(value)) throw new FieldError(field.path, `a mapping was expected, this is ${shown(value)}`)
  const fields: { [name in TKnown]?: Field } = {}
  for (const name of Object.keys(value)) {
    const content = value[name]
    if (content === null || content === undefined) continue
    const match = known.find((candidate) => candidate === name)
    if (match === undefined) {
      throw new FieldError([...field.path, name], refused[name] ?? `there is no such field here (${known.join(', ')})`)
    }
    fields[match] = new Field(content, field, name)
  }
  return fields
}

/** @throws FieldError when it is not a list. */
export function itemsOf(field: Field): Field[] {
  const { value } = field
  if (!Array.isArray(value)) throw new FieldError(field.path, `a list was expected, this is ${shown(value)}`)
  return value.map((item: unknown, index) => new Field(item, field, index))
}

/** @throws FieldError when it is not a string. */
export function textOf(field: Field): string {
  const { value } = field
  if (typeof value !== 'string') {
    throw new FieldError(
      field.path,
      `a string was expected, this is ${shown(value)}${typeof value === 'number' ? '; quote it' : ''}`,
    )
  }
  return value
}

/** @throws FieldError when it is neither true nor false. */
export function flagOf(field: Field): boolean {
  const { value } = field
  if (typeof value !== 'boolean') {
    throw new FieldError(field.path, `true or false was expected, this is ${shown(value)}`)
  }
  return value
}

/** Label maps and the like. @throws FieldError when a value is not a string. */
export function textsByName(field: Field): { name: string; text: string; at: Field }[] {
  const { value } = field
  if (!isMapping(value)) throw new FieldError(field.path, `a mapping was expected, this is ${shown(value)}`)
  return Object.entries(value).map(([name, content]) => {
    const at = new Field(content, field, name)
    return { name, text: textOf(at), at }
  })
}

function isMapping(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a mapping' : JSON.stringify(value)
}
