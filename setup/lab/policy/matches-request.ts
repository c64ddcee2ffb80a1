import type { HttpRule } from './policy.ts'

export interface HttpRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly host: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

/** Whether a rule lets a request through: every part of it matches the whole value. */
export function matchesRequest(rule: HttpRule, { method, path, host, headers }: HttpRequest): boolean {
  const parts = [
    { expression: rule.method, value: method },
    { expression: rule.path, value: path },
    { expression: rule.host, value: host },
  ]
  return (
    parts.every(({ expression, value }) => !expression || new RegExp(expression.javascript, 'u').test(value)) &&
    rule.headers.every(({ name, value }) =>
      value === undefined ? headers[name] !== undefined : headers[name] === value,
    )
  )
}
