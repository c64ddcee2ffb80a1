import { expect, test } from 'vitest'
import { parseHttpOptions } from './load-options.ts'

test('defaults: paired, half a percent, thirty seconds', () => {
  expect(parseHttpOptions(undefined)).toEqual({
    request: { method: 'GET', path: '/', headers: {}, body: Buffer.alloc(0), connection: 'keep-alive' },
    plan: { kind: 'paired', precision: 0.005, capMs: 30_000, blockMs: 300, connections: 1, ratePerS: null },
  })
})

test('a body makes it a POST, of so many bytes', () => {
  const { request } = parseHttpOptions({ body: { bytes: 1024 } })
  expect([request.method, request.body.length]).toEqual(['POST', 1024])
})

test('says which option is wrong and what would be right', () => {
  const message = (options: unknown): string => {
    try {
      parseHttpOptions(options)
      return 'accepted'
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
  expect(
    [
      { precison: '1%' },
      { plan: 'rate' },
      { rate: 100 },
      { block: '100ms' },
      { precision: '0%' },
      { cap: '0s' },
      { cap: 'soon' },
      { headers: { 'content-length': '3' } },
      { headers: { a: 'b\r\nc: d' } },
      { connections: 0 },
      { path: 'no-slash' },
    ].map(message),
  ).toMatchInlineSnapshot(`
    [
      "load.http: option precison: Invalid key: Expected never but received "precison"",
      "load.http: plan 'rate' needs \`rate\`, the requests per second of each arm",
      "load.http: \`rate\` belongs to plan 'rate', this load has plan 'paired'",
      "load.http: block '100ms' is shorter than 300 ms, too short to average over",
      "load.http: precision '0%' must be over 0",
      "load.http: cap '0s' must be over 0",
      "'soon' is not a time: a number with ns, us, ms, s or m, as '20us' or '30s', is",
      "load.http: header "content-length" is set by the load itself (see \`body\` and \`connection\`)",
      "load.http: header "a" has characters that a header can't carry",
      "load.http: option connections: Invalid value: Expected >=1 but received 0",
      "load.http: option path: Invalid start: Expected "/" but received "n"",
    ]
  `)
})
