import { parseArgs } from 'node:util'

/** Numbers from the command line, `--runs 40`, with their defaults. */
export function numberOptions<const Name extends string>(defaults: Record<Name, number>): Record<Name, number> {
  const names = Object.keys(defaults) as Name[]
  const { values } = parseArgs({
    options: Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
  })
  const read = { ...defaults }
  for (const name of names) {
    const given = values[name]
    if (given === undefined) continue
    const value = Number(given)
    if (!Number.isFinite(value) || value < 0) throw new Error(`--${name} ${String(given)}: a number from 0 is needed`)
    read[name] = value
  }
  return read
}
