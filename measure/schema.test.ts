import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { threeMeshRun } from '../reporters/testdata/sample-runs.ts'
import { parseRecord } from './record.ts'
import { recordJsonSchema, RECORD_SCHEMA_FILE } from './schema.ts'

const validate = new Ajv2020().compile(JSON.parse(recordJsonSchema()))

test('record.schema.json is up to date (node measure/schema.ts --write)', () => {
  expect(readFileSync(RECORD_SCHEMA_FILE, 'utf8')).toBe(recordJsonSchema())
})

test('a record is valid by the JSON Schema and by the parser', () => {
  const record: unknown = JSON.parse(JSON.stringify(threeMeshRun()))
  expect(validate(record), JSON.stringify(validate.errors)).toBe(true)
  expect(parseRecord(record)).toEqual(threeMeshRun())
})

test.each<[string, object]>([
  ['another schema', { schema: 'meshmark/record/0' }],
  ['no comparisons', { comparisons: undefined }],
  ['an unknown outcome', { comparisons: [{ ...threeMeshRun().comparisons[0], overheads: [{ outcome: 'maybe' }] }] }],
  ['a number as a word', { run: { ...threeMeshRun().run, durationMs: 'long' } }],
])('%s is refused by both', (_name, change) => {
  const broken: unknown = JSON.parse(JSON.stringify({ ...threeMeshRun(), ...change }))
  expect(validate(broken)).toBe(false)
  expect(() => parseRecord(broken)).toThrow(/^Not a meshmark\/record\/1: /)
})
