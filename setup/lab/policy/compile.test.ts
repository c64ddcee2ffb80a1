import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compilePolicies } from './compile.ts'
import { compileGroups } from './compile-groups.ts'
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

test('while policies change, every flow meets the old verdict or the new one, whichever blocks are already known', () => {
  fc.assert(
    fc.property(policies, policies, flows, fc.infiniteStream(fc.boolean()), (before, after, tried, coin) => {
      const now = compilePolicies(before, TEST_WORLD).identities
      const state = (own: readonly Policy[], beside: readonly Policy[], keep: boolean): CompiledPolicy => {
        const { compiled, identities } = compileGroups([own], TEST_WORLD, { identities: now, beside, keep })
        const [only] = compiled
        if (only === undefined) throw new Error('one group is one result')
        return { ...only, identities }
      }
      const [bridge, final] = [state(before, after, true), state(after, before, false)]
      const all = new Map(bridge.identities.map(({ prefix, identity }) => [prefix, identity]))
      for (const { prefix, identity } of final.identities) expect(all.get(prefix)).toBe(identity)
      expect(new Set(all.values()).size).toBe(all.size)
      const some = (must: ReadonlySet<string>): { prefix: string; identity: number }[] =>
        bridge.identities.filter(({ prefix }) => must.has(prefix) || Boolean(coin.next().value))
      const stages = [
        { policies: before, compiled: { ...bridge, identities: some(new Set(now.map(({ prefix }) => prefix))) } },
        {
          policies: after,
          compiled: { ...final, identities: some(new Set(final.identities.map(({ prefix }) => prefix))) },
        },
      ]
      for (const stage of stages) {
        const lookup = lookupIn(stage.compiled, TEST_WORLD)
        for (const flow of tried) {
          expect({ flow, verdict: asOracle(lookup(flow).verdict) }).toEqual({
            flow,
            verdict: verdictOf(stage.policies, TEST_WORLD, flow).verdict,
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
