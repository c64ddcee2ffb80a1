/** A record as its users see it: by the JSON Schema that the package publishes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, inject } from 'vitest'
import type { MeshmarkRecord } from '../../../measure/record.ts'

type Comparison = MeshmarkRecord['comparisons'][number]
type Overhead = Comparison['overheads'][number]

/** Checks it against the packed schema. */
export function validRecord(record: unknown): MeshmarkRecord {
  const schema = join(inject('packedProject').directory, 'node_modules/meshmark/measure/record.schema.json')
  const validate = new Ajv2020().compile<MeshmarkRecord>(JSON.parse(readFileSync(schema, 'utf8')))
  const valid = validate(record)
  expect(validate.errors).toBeNull()
  if (!valid) throw new Error('not a record')
  return record as MeshmarkRecord
}

/** The one overhead of a comparison that a matcher judged. */
export function judged(comparison: Comparison | undefined): Overhead {
  const [overhead, ...others] = comparison?.overheads.filter(({ budget }) => budget !== null) ?? []
  if (overhead === undefined || others.length > 0) throw new Error('not one judged overhead')
  return overhead
}
