/**
 * The record's JSON Schema, generated from the valibot one. `node measure/schema.ts --write` writes
 * `measure/record.schema.json`, which is published; a test keeps the two in step.
 */
import { writeFileSync } from 'node:fs'
import { toJsonSchema } from '@valibot/to-json-schema'
import { RECORD_SCHEMA, componentSchema, recordSchema } from './record.ts'

/** Where the generated schema lies. */
export const RECORD_SCHEMA_FILE: URL = new URL('./record.schema.json', import.meta.url)

/** The text of `record.schema.json`. */
export function recordJsonSchema(): string {
  const { $schema, ...shape } = toJsonSchema(recordSchema, {
    target: 'draft-2020-12',
    overrideAction: ({ valibotAction, jsonSchema }) =>
      // JSON has no infinities, so a JSON number is finite as it is.
      valibotAction.type === 'finite' ? jsonSchema : undefined,
    overrideSchema: ({ valibotSchema }) =>
      // The converter does not know records over a picklist; the only one here is CPU time by component.
      valibotSchema.type === 'record' && 'key' in valibotSchema && valibotSchema.key === componentSchema
        ? {
            type: 'object',
            propertyNames: { enum: [...componentSchema.options] },
            additionalProperties: { type: 'number' },
          }
        : undefined,
  })
  const schema = {
    $schema,
    $id: RECORD_SCHEMA,
    title: 'meshmark record',
    description:
      'One run of meshmark. Shares and overheads are fractions (0.03 is 3 %), positive is dearer; names say their unit.',
    ...shape,
  }
  return `${JSON.stringify(schema, null, 2)}\n`
}

if (import.meta.main && process.argv.includes('--write')) writeFileSync(RECORD_SCHEMA_FILE, recordJsonSchema())
