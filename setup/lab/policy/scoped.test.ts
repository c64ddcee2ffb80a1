import { expect, test } from 'vitest'
import { countRules } from './count-rules.ts'
import { iptablesRules } from './netfilter/iptables.ts'
import { parsePolicy } from './parse.ts'
import { scaleManifest } from './scale-policy.ts'
import { scoped, SCOPE_LABEL } from './scoped.ts'
import type { World } from './world.ts'

const manifest = scaleManifest(3, { server: { app: 'echo' }, client: { app: 'client' }, port: 8080 })
const pod = (id: number, labels: Record<string, string>): World['endpoints'][number] => ({
  id,
  name: `p${id}`,
  identity: 255 + id,
  labels,
  addresses: [`10.246.1.${id}`],
  ports: [],
})
const world: World = {
  endpoints: [
    pod(1, { app: 'client' }),
    pod(2, { app: 'echo', [SCOPE_LABEL]: 'one' }),
    pod(3, { app: 'echo', [SCOPE_LABEL]: 'two' }),
  ],
  hostAddresses: [],
}

test('a policy for one group selects the pods of that group alone', () => {
  const rules = iptablesRules([scoped(parsePolicy(manifest, 'test'), 'two')], world, 'stateful')
  expect([...rules.matchAll(/^-A FORWARD -d (\S+)/gm)].map(([, address]) => address)).toEqual(['10.246.1.3/32'])
})

test('rules are counted by peer and port, whatever enforces them', () => {
  expect(countRules([parsePolicy(manifest, 'test')])).toBe(3)
  const wide = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name: 'wide' },
    spec: {
      endpointSelector: {},
      ingress: [
        { fromCIDR: ['10.0.0.0/8', '192.0.2.0/24'], toPorts: [{ ports: [{ port: '80' }, { port: '443' }] }] },
        { fromEntities: ['host'] },
      ],
    },
  }
  expect(countRules([parsePolicy(wide, 'test')])).toBe(5)
})
