import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { isNode, LineCounter, parseAllDocuments } from 'yaml'
import type { Document } from 'yaml'
import { LabError } from '../lab-error.ts'

export type FieldPath = readonly (string | number)[]

/** A YAML file whose errors name file, line, column and field. */
export interface YamlSource {
  readonly documents: readonly Document.Parsed[]
  /** `file:line:column: spec.replicas` */
  locate(document: Document.Parsed, path: FieldPath): string
}

/**
 * `what` the file holds, for the message.
 * @throws LabError when the file can't be read, or is not YAML.
 */
export function readYaml(file: string, what = 'workload'): YamlSource {
  return parseYaml(readText(file, what), file)
}

/** @throws LabError when the file can't be read. */
export function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new LabError(
      `Can't read the ${what} ${shownPath(file)}: ${error instanceof Error ? error.message : String(error)}.`,
    )
  }
}

/**
 * YAML text as it was read from `file`.
 * @throws LabError when it is not YAML.
 */
export function parseYaml(text: string, file: string): YamlSource {
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })
  const documents = Array.isArray(parsed) ? parsed : []
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${shownPath(file)}:${line}:${col}`
  }
  for (const { errors } of documents) {
    const error = errors[0]
    if (error) throw new LabError(`${at(error.pos[0])}: this is not YAML: ${error.message}`)
  }
  return {
    documents,
    locate(document, path) {
      // The nearest field above one that is not there.
      for (let length = path.length; length >= 0; length--) {
        const node = document.getIn(path.slice(0, length), true)
        if (isNode(node) && node.range) return `${at(node.range[0])}: ${fieldPath(path)}`
      }
      return `${shownPath(file)}: ${fieldPath(path)}`
    },
  }
}

/** Relative to the working directory where it is below it. */
export function shownPath(file: string): string {
  const short = relative(process.cwd(), file)
  return short.startsWith('..') ? file : short
}

/** `spec.ingress[0].toPorts`, or "the document". */
export function fieldPath(path: FieldPath): string {
  return (
    path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('') ||
    'the document'
  )
}
