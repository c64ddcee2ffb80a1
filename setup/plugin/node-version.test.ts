import { expect, test } from 'vitest'
import { assertSupportedNode } from './node-version.ts'

test.each(['22.12.0', '22.20.1', '24.0.0', '26.10.0', '27.1.0'])('takes Node %s', (version) => {
  expect(() => assertSupportedNode(version)).not.toThrow()
})

test.each(['20.20.2', '22.11.0', '23.5.0', '25.1.0'])('refuses Node %s in one sentence', (version) => {
  expect(() => assertSupportedNode(version)).toThrow(/^meshmark runs on Vitest 5, which needs Node .* this is Node \d+/)
})
