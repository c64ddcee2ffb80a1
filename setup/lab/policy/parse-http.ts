import { FieldError, fieldsOf, itemsOf, textOf } from './field.ts'
import type { Field } from './field.ts'
import type { HttpRule, Re2 } from './policy.ts'
import { parseRe2, Re2Error } from './re2.ts'

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Cilium's rules.http: a request that one of the rules matches is let through. */
export function parseHttpRules(field: Field): readonly HttpRule[] {
  const items = itemsOf(field)
  if (items.length === 0) {
    throw new FieldError(field.path, 'an empty list says nothing; write [{}] for every request, or leave rules out')
  }
  return items.map(parseHttpRule)
}

function parseHttpRule(field: Field): HttpRule {
  const { method, path, host, headers, headerMatches } = fieldsOf(field, [
    'method',
    'path',
    'host',
    'headers',
    'headerMatches',
  ])
  return {
    method: method && regex(method),
    path: path && regex(path),
    host: host && regex(host),
    headers: [
      ...(headers ? itemsOf(headers).map(header) : []),
      ...(headerMatches ? itemsOf(headerMatches).map(headerMatch) : []),
    ],
  }
}

/** An empty expression is none, as for Cilium. */
function regex(field: Field): Re2 | undefined {
  const text = textOf(field)
  if (text === '') return undefined
  try {
    return parseRe2(text)
  } catch (error) {
    if (!(error instanceof Re2Error)) throw error
    throw new FieldError(field.path, `Envoy's RE2 can't take ${JSON.stringify(text)}: ${error.message}`)
  }
}

/** `X-Name` asks for the header, `X-Name: value` for its value: cut at the first space, as Cilium does (pkg/envoy, getHTTPRule). */
function header(field: Field): HttpRule['headers'][number] {
  const text = textOf(field)
  const space = text.indexOf(' ')
  if (space < 0 && text.includes(':')) {
    throw new FieldError(field.path, `"${text}" is no header: a value stands after a colon and a space`)
  }
  const name = space < 0 ? text : text.slice(0, space).replace(/:+$/, '')
  return { name: headerName(name, field), value: space < 0 ? undefined : text.slice(space + 1) }
}

function headerMatch(field: Field): HttpRule['headers'][number] {
  const { name, value } = fieldsOf(field, ['name', 'value'], {
    mismatch: "the lab's proxy only refuses what doesn't match; it can't log, add, delete or replace headers",
    secret: 'the lab has no secrets; write the value',
  })
  if (!name) throw new FieldError(field.path, 'a header needs a name')
  const text = value && textOf(value)
  return { name: headerName(textOf(name), name), value: text === '' ? undefined : text }
}

function headerName(name: string, { path }: Field): string {
  if (!HEADER_NAME.test(name)) throw new FieldError(path, `"${name}" is no name of a header`)
  return name.toLowerCase()
}
