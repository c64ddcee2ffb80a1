import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packageRoot } from '../../../measure/package-root.ts'
import { compilePolicies } from './compile.ts'
import { envoyRbac } from './envoy-rbac.ts'
import { matchesRequest } from './matches-request.ts'
import type { HttpRequest } from './matches-request.ts'
import { verdictOf } from './oracle.ts'
import { parsePolicies, parsePolicy } from './parse.ts'
import { passesRbac } from './testing/evaluate-rbac.ts'
import { flowOf } from './testing/flow-arbitrary.ts'
import { policyManifests, vocabularyOf } from './testing/policy-arbitrary.ts'
import { OUTSIDE, TEST_WORLD } from './testing/test-world.ts'

const words = vocabularyOf(TEST_WORLD, OUTSIDE.slice(0, 3), [80, 8080])
const policies = policyManifests(words, 4, { http: 'most' }).map((manifests) =>
  manifests.map((one) => parsePolicy(one, 'test')),
)
const request: fc.Arbitrary<HttpRequest> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'HEAD', 'GETS'),
  path: fc.constantFrom('/', '/public', '/publicity', '/private/x?y', '/a/12', '/?bytes=12', '/?bytes=x'),
  host: fc.constantFrom('http-echo', 'http-echo:8080', 'a.example.com'),
  headers: fc.constantFrom({}, { 'x-token': 'secret' }, { 'x-token': 'wrong' }),
})

test('l7.yaml: only the client may ask, and only GET /', () => {
  const file = join(packageRoot(), 'manifests/policies/l7.yaml')
  const world = {
    hostAddresses: ['10.245.0.1'],
    endpoints: [
      { id: 1, name: 'client', identity: 256, labels: { app: 'client' }, addresses: ['10.245.0.2'], ports: [] },
      { id: 2, name: 'p0', identity: 257, labels: { app: 'http-echo' }, addresses: ['10.245.1.2'], ports: [] },
    ],
  }
  const { l7 } = compilePolicies(parsePolicies(readFileSync(file, 'utf8'), 'l7.yaml'), world)
  expect(l7).toMatchInlineSnapshot(`
    [
      {
        "addresses": [
          "10.245.1.2",
        ],
        "direction": "ingress",
        "endpoints": [
          2,
        ],
        "ports": [
          {
            "first": 8080,
            "last": 8080,
            "open": [],
            "peers": [
              {
                "except": [],
                "within": "10.245.0.2/32",
              },
            ],
            "rules": [
              {
                "http": [
                  {
                    "headers": [],
                    "host": undefined,
                    "method": {
                      "javascript": "^(?:GET)$",
                      "source": "GET",
                    },
                    "path": {
                      "javascript": "^(?:\\/)$",
                      "source": "/",
                    },
                  },
                ],
                "peers": [
                  {
                    "except": [],
                    "within": "10.245.0.2/32",
                  },
                ],
                "rule": 1,
              },
            ],
          },
        ],
      },
    ]
  `)
  expect(envoyRbac(l7).ingress).toMatchInlineSnapshot(`
    {
      "name": "meshmark.policy.ingress",
      "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
        "rules": {
          "action": "ALLOW",
          "policies": {
            "0 other ports": {
              "permissions": [
                {
                  "and_rules": {
                    "rules": [
                      {
                        "destination_ip": {
                          "address_prefix": "10.245.1.2",
                          "prefix_len": 32,
                        },
                      },
                      {
                        "not_rule": {
                          "destination_port": 8080,
                        },
                      },
                    ],
                  },
                },
              ],
              "principals": [
                {
                  "any": true,
                },
              ],
            },
            "0 port 8080 rule 1.0": {
              "permissions": [
                {
                  "and_rules": {
                    "rules": [
                      {
                        "destination_ip": {
                          "address_prefix": "10.245.1.2",
                          "prefix_len": 32,
                        },
                      },
                      {
                        "destination_port": 8080,
                      },
                      {
                        "and_rules": {
                          "rules": [
                            {
                              "header": {
                                "name": ":method",
                                "string_match": {
                                  "safe_regex": {
                                    "regex": "GET",
                                  },
                                },
                              },
                            },
                            {
                              "header": {
                                "name": ":path",
                                "string_match": {
                                  "safe_regex": {
                                    "regex": "/",
                                  },
                                },
                              },
                            },
                          ],
                        },
                      },
                    ],
                  },
                },
              ],
              "principals": [
                {
                  "direct_remote_ip": {
                    "address_prefix": "10.245.0.2",
                    "prefix_len": 32,
                  },
                },
              ],
            },
            "pods without HTTP rules": {
              "permissions": [
                {
                  "not_rule": {
                    "destination_ip": {
                      "address_prefix": "10.245.1.2",
                      "prefix_len": 32,
                    },
                  },
                },
              ],
              "principals": [
                {
                  "any": true,
                },
              ],
            },
          },
        },
        "rules_stat_prefix": "policy_ingress_",
      },
    }
  `)
})

test('requests that reach the proxy pass both filters exactly where the policies let them through', () => {
  let [passed, refused] = [0, 0]
  fc.assert(
    fc.property(
      policies,
      fc.array(flowOf(words), { minLength: 40, maxLength: 40 }),
      fc.array(request, { minLength: 4, maxLength: 4 }),
      (some, flows, requests) => {
        const filters = envoyRbac(compilePolicies(some, TEST_WORLD).l7)
        for (const flow of flows) {
          const verdict = verdictOf(some, TEST_WORLD, flow)
          if (verdict.verdict !== 'http') continue
          for (const one of requests) {
            const meant = [verdict.egress, verdict.ingress].every(
              (rules) => rules === undefined || rules.some((rule) => matchesRequest(rule, one)),
            )
            const said = passesRbac(filters.egress, flow, one) && passesRbac(filters.ingress, flow, one)
            expect({ flow, one, passes: said }).toEqual({ flow, one, passes: meant })
            if (said) passed++
            else refused++
          }
        }
      },
    ),
    { numRuns: 200 },
  )
  expect({ passed: passed > 100, refused: refused > 100 }).toEqual({ passed: true, refused: true })
}, 300_000)
