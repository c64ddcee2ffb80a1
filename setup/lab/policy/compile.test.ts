import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compilePolicies } from './compile.ts'
import { compileChange } from './compile-change.ts'
import type { CompiledGroups } from './compile-change.ts'
import { lookupIn } from './lookup.ts'
import { verdictOf } from './oracle.ts'
import { parsePolicy } from './parse.ts'
import type { CompiledPolicy } from './compiled-policy.ts'
import type { Policy } from './policy.ts'
import { flowOf } from './testing/flow-arbitrary.ts'
import { policyManifests, vocabularyOf } from './testing/policy-arbitrary.ts'
import { OUTSIDE, TEST_PORTS, TEST_WORLD } from './testing/test-world.ts'

const words = vocabularyOf(TEST_WORLD, OUTSIDE, TEST_PORTS)
const policies = fc
  .oneof(policyManifests(words, 4), policyManifests(words, 4, { http: 'most' }))
  .map((manifests) => manifests.map((one) => parsePolicy(one, 'test')))
const flows = fc.array(flowOf(words), { minLength: 30, maxLength: 30 })

test('the compiled maps say of every flow what the policies mean', () => {
  fc.assert(
    fc.property(policies, flows, (some, tried) => {
      const lookup = lookupIn(compilePolicies(some, TEST_WORLD), TEST_WORLD)
      for (const flow of tried) {
        expect({ flow, verdict: asOracle(lookup(flow).verdict) }).toEqual({
          flow,
          verdict: verdictOf(some, TEST_WORLD, flow).verdict,
        })
      }
    }),
    { numRuns: 300 },
  )
}, 300_000)

const orNone = fc.oneof({ weight: 5, arbitrary: policies }, { weight: 1, arbitrary: fc.constant<Policy[]>([]) })

test('while policies change, every flow meets the old verdict or the new one, whichever blocks are already known', () => {
  fc.assert(
    fc.property(orNone, orNone, flows, fc.infiniteStream(fc.boolean()), (before, after, tried, coin) => {
      const now = compilePolicies(before, TEST_WORLD).identities
      const { bridge, final } = compileChange([before], [after], TEST_WORLD, now)
      const known = bridge?.identities ?? now
      const all = new Map(known.map(({ prefix, identity }) => [prefix, identity]))
      for (const { prefix, identity } of [...now, ...final.identities]) expect(all.get(prefix)).toBe(identity)
      expect(new Set(all.values()).size).toBe(all.size)
      // The data path switches sets first; blocks come and go one by one, before the next state is asked for.
      const stage = (
        own: readonly Policy[],
        { compiled: [only] }: CompiledGroups,
        must: typeof now,
      ): { policies: readonly Policy[]; compiled: CompiledPolicy } => {
        if (only === undefined) throw new Error('one group is one result')
        const sure = new Set(must.map(({ prefix }) => prefix))
        const identities = known.filter(({ prefix }) => sure.has(prefix) || Boolean(coin.next().value))
        return { policies: own, compiled: { ...only, identities } }
      }
      const stages = [
        ...(bridge === undefined ? [] : [stage(before, bridge, now)]),
        stage(after, final, final.identities),
      ]
      for (const { policies: own, compiled } of stages) {
        const lookup = lookupIn(compiled, TEST_WORLD)
        for (const flow of tried) {
          expect({ flow, verdict: asOracle(lookup(flow).verdict) }).toEqual({
            flow,
            verdict: verdictOf(own, TEST_WORLD, flow).verdict,
          })
        }
      }
    }),
    { numRuns: 100 },
  )
}, 300_000)

test('random policies and flows are not all of one kind', { timeout: 60_000 }, () => {
  const counts: { [verdict: string]: number } = {}
  for (const [some, tried] of fc.sample(fc.tuple(policies, flows), { numRuns: 200, seed: 1 })) {
    for (const flow of tried) {
      const { verdict } = verdictOf(some, TEST_WORLD, flow)
      counts[verdict] = (counts[verdict] ?? 0) + 1
    }
  }
  expect(counts).toMatchInlineSnapshot(`
    {
      "allow": 4237,
      "deny": 1706,
      "http": 57,
    }
  `)
})

function asOracle(verdict: ReturnType<ReturnType<typeof lookupIn>>['verdict']): string {
  return verdict === 'proxy' ? 'http' : verdict
}
