/**
 * The JSON Schema of a probe's report, generated from the valibot one. `node probes/client/probe-schema.ts --write` writes
 * `probe.schema.json`, which is published; a test keeps the two in step.
 */
import { writeFileSync } from 'node:fs'
import { toJsonSchema } from '@valibot/to-json-schema'
import { PROBE_SCHEMA, probeReportSchema } from './probe-report.ts'

/** Where the generated schema lies. */
export const PROBE_SCHEMA_FILE: URL = new URL('./probe.schema.json', import.meta.url)

/** The text of `probe.schema.json`. */
export function probeJsonSchema(): string {
  const { $schema, ...shape } = toJsonSchema(probeReportSchema, { target: 'draft-2020-12' })
  const schema = {
    $schema,
    $id: PROBE_SCHEMA,
    title: 'meshmark probe report',
    description:
      'What meshmark-probe saw. Times are in nanoseconds unless a name says otherwise, shares are fractions; null is "not there".',
    ...shape,
  }
  return `${JSON.stringify(schema, null, 2)}\n`
}

if (import.meta.main && process.argv.includes('--write')) writeFileSync(PROBE_SCHEMA_FILE, probeJsonSchema())
