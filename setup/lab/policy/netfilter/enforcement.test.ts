import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { verdictOf } from '../oracle.ts'
import { parsePolicy } from '../parse.ts'
import type { Policy } from '../policy.ts'
import { policyManifests, vocabularyOf } from '../testing/policy-arbitrary.ts'
import { RealNetwork } from '../testing/real-network.ts'
import type { Flow, World } from '../world.ts'
import { iptablesRules } from './iptables.ts'
import { nftablesRules } from './nftables.ts'

const ADDRESSES = {
  node: '10.99.0.1',
  client: '10.99.0.2',
  stranger: '10.99.0.3',
  echo: '10.99.1.2',
  outside: '203.0.113.2',
}
const PORTS = [80, 8080]
const WORLD: World = {
  hostAddresses: [ADDRESSES.node],
  endpoints: [
    {
      id: 1,
      name: 'client',
      identity: 256,
      labels: { app: 'client', tier: 'front' },
      addresses: [ADDRESSES.client],
      ports: [],
    },
    { id: 2, name: 'stranger', identity: 257, labels: { app: 'stranger' }, addresses: [ADDRESSES.stranger], ports: [] },
    {
      id: 3,
      name: 'echo',
      identity: 258,
      labels: { app: 'http-echo', tier: 'back' },
      addresses: [ADDRESSES.echo],
      ports: [{ name: 'http', port: 8080 }],
    },
  ],
}

const words = vocabularyOf(WORLD, [ADDRESSES.outside], PORTS)
const SAMPLES = 5
const policies = fc
  .sample(policyManifests(words, 3, { http: 'none' }), { numRuns: SAMPLES, seed: 20 })
  .map((manifests) => manifests.map((one, index) => parsePolicy(one, `policy ${index}`)))

const has = (tool: string): boolean => spawnSync('which', [tool]).status === 0

/** Every way between two places, TCP to both ports; UDP and ping to one. */
const flows = Object.values(ADDRESSES).flatMap((source) =>
  Object.values(ADDRESSES)
    .filter((destination) => destination !== source)
    .flatMap((destination): Flow[] => [
      ...PORTS.map((port): Flow => ({ source, destination, protocol: 6, port })),
      { source, destination, protocol: 17, port: 8080 },
      { source, destination, protocol: 1, port: 0 },
    ]),
)

const root = process.getuid?.() === 0

let network: RealNetwork
beforeAll(async () => {
  if (root) network = await RealNetwork.up(ADDRESSES, PORTS)
}, 120_000)
afterAll(() => network?.[Symbol.asyncDispose]())

/** Flows whose fate differs from what the policies mean. */
async function surprises(
  some: readonly Policy[],
  tried: readonly Flow[],
): Promise<{ tried: number; denied: number; wrong: Flow[] }> {
  const means = (flow: Flow): boolean => verdictOf(some, WORLD, flow).verdict === 'allow'
  const results = await Promise.all(
    tried.map(async (flow) => ({ flow, meant: means(flow), passed: await network.tries(flow, 1000) })),
  )
  // A busy machine can be late: what surprises is tried once more, alone and with more time.
  for (const result of results) {
    if (result.meant && !result.passed) result.passed = await network.tries(result.flow, 5000)
  }
  return {
    tried: results.length,
    denied: results.filter(({ meant }) => !meant).length,
    wrong: results.filter(({ meant, passed }) => meant !== passed).map(({ flow }) => flow),
  }
}

test.skipIf(!root)('without rules, everyone reaches everyone', { timeout: 60_000 }, async () => {
  const found = await surprises([], flows)
  expect(found).toEqual({ tried: flows.length, denied: 0, wrong: [] })
})

for (const restore of ['iptables-nft-restore', 'iptables-legacy-restore']) {
  const usable = root && has(restore)
  test.skipIf(!usable)(
    `${restore}, stateful: the kernel denies what the policies deny and nothing else`,
    { timeout: 600_000 },
    async () => {
      for (const some of policies) {
        await network.runOnNode([restore, '-w'], iptablesRules(some, WORLD, 'stateful'))
        expect(await surprises(some, flows)).toMatchObject({ wrong: [] })
      }
      await network.runOnNode([restore, '-w'], iptablesRules([], WORLD, 'stateful'))
    },
  )

  test.skipIf(!usable)(`${restore}, stateless: the same for TCP`, { timeout: 600_000 }, async () => {
    const tcp = flows.filter(({ protocol }) => protocol === 6)
    for (const some of policies) {
      await network.runOnNode([restore, '-w'], iptablesRules(some, WORLD, 'stateless'))
      expect(await surprises(some, tcp)).toMatchObject({ wrong: [] })
    }
    await network.runOnNode([restore, '-w'], iptablesRules([], WORLD, 'stateless'))
  })
}

test.skipIf(!root || !has('nft'))(
  'nftables: the kernel denies what the policies deny and nothing else',
  { timeout: 600_000 },
  async () => {
    let denied = 0
    for (const some of policies) {
      await network.runOnNode(['nft', '-f', '-'], nftablesRules(some, WORLD))
      const found = await surprises(some, flows)
      expect(found).toMatchObject({ wrong: [] })
      denied += found.denied
    }
    // A policy that denies nothing would pass this test without being enforced.
    expect(denied).toBeGreaterThan(policies.length * flows.length * 0.1)
    await network.runOnNode(['nft', 'delete', 'table', 'ip', 'meshmark_policy'])
  },
)
