import { expect, test } from 'vitest'
import { compilePolicies } from './compile.ts'
import { lookupIn } from './lookup.ts'
import { scaleManifest, scalePolicy } from './scale-policy.ts'
import { TEST_WORLD } from './testing/test-world.ts'

const TARGET = { server: { app: 'http-echo' }, client: { app: 'client' }, port: 8080 }

test('three rules, the last of which is for the client', () => {
  expect(JSON.stringify(scaleManifest(3, TARGET), null, 1)).toMatchInlineSnapshot(`
    "{
     "apiVersion": "cilium.io/v2",
     "kind": "CiliumNetworkPolicy",
     "metadata": {
      "name": "scale-3"
     },
     "spec": {
      "endpointSelector": {
       "matchLabels": {
        "app": "http-echo"
       }
      },
      "ingress": [
       {
        "fromEndpoints": [
         {
          "matchLabels": {
           "app": "client"
          }
         }
        ],
        "toPorts": [
         {
          "ports": [
           {
            "port": "10000",
            "protocol": "TCP"
           }
          ]
         }
        ]
       },
       {
        "fromCIDR": [
         "198.18.0.0/32"
        ],
        "toPorts": [
         {
          "ports": [
           {
            "port": "8080",
            "protocol": "TCP"
           }
          ]
         }
        ]
       },
       {
        "fromEndpoints": [
         {
          "matchLabels": {
           "app": "client"
          }
         }
        ],
        "toPorts": [
         {
          "ports": [
           {
            "port": "8080",
            "protocol": "TCP"
           }
          ]
         }
        ]
       }
      ]
     }
    }"
  `)
})

test('one rule is the one for the client; 0 and 10,001 are refused', () => {
  expect(compilePolicies([scalePolicy(1, TARGET)], TEST_WORLD).sets[0]?.entries).toMatchInlineSnapshot(`
    [
      {
        "direction": "ingress",
        "identity": 256,
        "port": 8080,
        "portBits": 16,
        "protocol": 6,
        "rule": 1,
        "verdict": "allow",
      },
    ]
  `)
  expect(() => scalePolicy(0, TARGET)).toThrow(RangeError)
  expect(() => scalePolicy(10_001, TARGET)).toThrow(RangeError)
})

test(
  '10,000 rules are 10,000 entries in one set that both pods share, and the last rule decides',
  { timeout: 60_000 },
  () => {
    const policy = scalePolicy(10_000, TARGET)
    const started = process.cpuUsage()
    const compiled = compilePolicies([policy], TEST_WORLD)
    const { user, system } = process.cpuUsage(started)
    expect(compiled.sets.map(({ entries }) => entries.length)).toEqual([10_000])
    expect(compiled.identities.length).toBe(4999)
    const lookup = lookupIn(compiled, TEST_WORLD)
    expect(lookup({ source: '10.245.0.2', destination: '10.245.1.3', protocol: 6, port: 8080 })).toEqual({
      verdict: 'allow',
      egress: null,
      ingress: { verdict: 'allow', rule: 10_000 },
    })
    expect(lookup({ source: '10.245.0.3', destination: '10.245.1.3', protocol: 6, port: 8080 }).verdict).toBe('deny')
    // CPU time, as other work on the machine is no part of it.
    expect((user + system) / 1000).toBeLessThan(1000)
  },
)
