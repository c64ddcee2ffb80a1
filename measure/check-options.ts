import * as v from 'valibot'

/**
 * Options as a spec gives them. Vitest checks no types: what is misspelt would be left out, and what was asked for would seem to be so.
 * @throws Error that names the option
 */
export function checkOptions<const Schema extends v.GenericSchema>(
  where: string,
  schema: Schema,
  input: unknown,
): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, input ?? {})
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  throw new Error(`${where}: option ${v.getDotPath(issue) ?? '(all)'}: ${issue.message}`)
}
