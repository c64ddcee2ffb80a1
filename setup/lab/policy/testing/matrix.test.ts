import { expect, test } from 'vitest'
import { compilePolicies } from '../compile.ts'
import { lookupIn } from '../lookup.ts'
import { policyMatrix } from './matrix.ts'
import { OUTSIDE, TEST_WORLD } from './test-world.ts'

test(
  'more than 200 cases of every kind, the same for the same seed, on which the compiler agrees',
  { timeout: 60_000 },
  () => {
    const options = {
      world: TEST_WORLD,
      outside: OUTSIDE,
      ports: [8080, 8081, 53],
      protocols: [1, 6, 17, 58],
      http: 'some',
      groups: 30,
      casesPerGroup: 12,
      seed: 7,
    } as const
    const groups = policyMatrix(options)
    expect(policyMatrix(options)).toEqual(groups)
    const counts: { [verdict: string]: number } = {}
    for (const { policies, cases } of groups) {
      const lookup = lookupIn(compilePolicies(policies, TEST_WORLD), TEST_WORLD)
      for (const { flow, verdict } of cases) {
        counts[verdict] = (counts[verdict] ?? 0) + 1
        expect(lookup(flow).verdict).toBe(verdict === 'http' ? 'proxy' : verdict)
      }
    }
    expect(counts).toMatchInlineSnapshot(`
      {
        "allow": 166,
        "deny": 166,
        "http": 28,
      }
    `)
    const requests = groups.flatMap(({ cases }) => cases.flatMap(({ requests }) => requests))
    expect({
      passed: requests.filter(({ passes }) => passes).length,
      refused: requests.filter(({ passes }) => !passes).length,
    }).toMatchInlineSnapshot(`
      {
        "passed": 18,
        "refused": 94,
      }
    `)
  },
)
