import { expect, test } from 'vitest'
import { parseHttpOptions, type HttpOptions } from '../load-options.ts'
import type { Protocol, Target } from '../target.ts'
import { assertComparable, type NamedArm, parityDifferences } from './parity.ts'

function arm(name: string, options: HttpOptions = {}, target: Partial<Target> = {}): NamedArm {
  const protocol: Protocol = 'http/1.1'
  return {
    name,
    ...parseHttpOptions(options),
    describe: () => {
      throw new Error('not described in this test')
    },
    pods: [
      {
        workload: 'http-echo',
        mesh: 'baseline',
        standIn: false,
        protocol,
        host: '10.0.0.1',
        port: 80,
        sidecars: 0,
        traits: { 'server cpus': '1' },
        readCpu: () => [],
        readMemory: () => [],
        failure: () => undefined,
        runInClient: () => {
          throw new Error('not run in this test')
        },
        ...target,
      },
    ],
  }
}

test('refuses arms of one name, of different protocols, and arms measured differently', () => {
  const refusals = [
    [arm('a'), arm('a')],
    [arm('a'), arm('b', {}, { protocol: 'grpc' })],
    [arm('a'), arm('b', { cap: '10s' })],
  ].map((arms) => {
    try {
      assertComparable(arms)
      return 'accepted'
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  })
  expect(refusals).toMatchInlineSnapshot(`
    [
      "Two arms are named "a": an arm compared with itself is no comparison. Name them apart.",
      "Arms of different protocols can't be compared: "a" speaks http/1.1, "b" speaks grpc. Give both arms the same kind of load.",
      "Arms must be measured alike: "a" has capMs 30000, "b" has 10000. Pass the same plan, precision, cap, block, connections and rate to every load of a comparison.",
    ]
  `)
})

test('CPU sets that differ leave nothing resolved, other traits are printed', () => {
  const arms = [arm('a'), arm('b', { connection: 'per-request' }, { traits: { 'server cpus': '0', mTLS: 'STRICT' } })]
  const responses = arms.map(({ name }) => ({ arm: name, status: 200, bodyBytes: 3 }))
  expect(parityDifferences(arms, responses)).toMatchInlineSnapshot(`
    [
      {
        "blocking": true,
        "trait": "server cpus",
        "values": {
          "a": "1",
          "b": "0",
        },
      },
      {
        "blocking": false,
        "trait": "mTLS",
        "values": {
          "a": "–",
          "b": "STRICT",
        },
      },
      {
        "blocking": false,
        "trait": "connection",
        "values": {
          "a": "keep-alive",
          "b": "per-request",
        },
      },
    ]
  `)
})
