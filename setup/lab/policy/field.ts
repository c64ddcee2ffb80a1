import { fieldPath } from '../workload/yaml-source.ts'
import type { FieldPath } from '../workload/yaml-source.ts'

/** A value of a manifest and where it stands. */
export interface Field {
  readonly value: unknown
  readonly path: FieldPath
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
  const { value, path } = field
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FieldError(path, `a mapping was expected, this is ${shown(value)}`)
  }
  const fields: { [name in TKnown]?: Field } = {}
  for (const [name, content] of Object.entries(value)) {
    if (content === null || content === undefined) continue
    const at = [...path, name]
    const match = known.find((candidate) => candidate === name)
    if (match !== undefined) fields[match] = { value: content, path: at }
    else throw new FieldError(at, refused[name] ?? `there is no such field here (${known.join(', ')})`)
  }
  return fields
}

/** @throws FieldError when it is not a list. */
export function itemsOf({ value, path }: Field): Field[] {
  if (!Array.isArray(value)) throw new FieldError(path, `a list was expected, this is ${shown(value)}`)
  return value.map((item: unknown, index) => ({ value: item, path: [...path, index] }))
}

/** @throws FieldError when it is not a string. */
export function textOf({ value, path }: Field): string {
  if (typeof value !== 'string') {
    throw new FieldError(
      path,
      `a string was expected, this is ${shown(value)}${typeof value === 'number' ? '; quote it' : ''}`,
    )
  }
  return value
}

/** @throws FieldError when it is neither true nor false. */
export function flagOf({ value, path }: Field): boolean {
  if (typeof value !== 'boolean') throw new FieldError(path, `true or false was expected, this is ${shown(value)}`)
  return value
}

/** Label maps and the like. @throws FieldError when a value is not a string. */
export function textsByName(field: Field): [name: string, text: Field & { readonly value: string }][] {
  const { value, path } = field
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FieldError(path, `a mapping was expected, this is ${shown(value)}`)
  }
  return Object.entries(value).map(([name, content]) => {
    const at = { value: content, path: [...path, name] }
    return [name, { ...at, value: textOf(at) }]
  })
}

export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a mapping' : JSON.stringify(value)
}
