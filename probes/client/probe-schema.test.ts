import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { parseProbeReport } from './probe-report.ts'
import { probeJsonSchema, PROBE_SCHEMA_FILE } from './probe-schema.ts'

const validate = new Ajv2020().compile(JSON.parse(probeJsonSchema()))
const recorded = (): unknown => JSON.parse(readFileSync(new URL('./testdata/direct.json', import.meta.url), 'utf8'))

test('probe.schema.json is up to date (node probes/client/probe-schema.ts --write)', () => {
  expect(readFileSync(PROBE_SCHEMA_FILE, 'utf8')).toBe(probeJsonSchema())
})

test('what the program wrote is valid by the JSON Schema and by the parser', () => {
  expect(validate(recorded()), JSON.stringify(validate.errors)).toBe(true)
  expect(parseProbeReport(recorded())).toEqual(recorded())
})

test.each<[string, object]>([
  ['another schema', { schema: 'meshmark/probe/0' }],
  ['no targets', { targets: undefined }],
  ['a count that is none', { cpus: 1.5 }],
])('%s is refused by both', (_name, change) => {
  const broken: unknown = JSON.parse(JSON.stringify(Object.assign(recorded() as object, change)))
  expect(validate(broken)).toBe(false)
  expect(() => parseProbeReport(broken)).toThrow(/^Not a meshmark\/probe\/1: /)
})
