import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../../../measure/package-root.ts'
import { parsePolicies } from './parse.ts'

const CNP = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: p
spec:
`
const NP = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: p
spec:
`

/** What is said to a spec in flow style. */
function answer(head: string, spec: string): string {
  try {
    const [policy] = parsePolicies(`${head}  ${spec}\n`, 'p.yaml')
    return JSON.stringify(policy?.specs, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
const allSelected = (rest: string): string => `{ endpointSelector: {}, ${rest} }`

test.for(['l3-l4', 'l7', 'deny-stranger', 'networkpolicy'])('the example %s.yaml', (name) => {
  const file = join(packageRoot(), `manifests/policies/${name}.yaml`)
  expect(parsePolicies(readFileSync(file, 'utf8'), `${name}.yaml`)).toMatchSnapshot()
})

test('several documents, spec and specs, one name once', () => {
  const spec = 'endpointSelector: {}\n  ingress: [{}]\n'
  const two = `${CNP}  ${spec}specs:\n- { endpointSelector: {}, egress: [{}] }\n---\n---\n${NP}  podSelector: {}\n`
  expect(parsePolicies(two, 'p.yaml').map(({ kind, source, specs }) => [kind, source, specs.map(({ path }) => path)]))
    .toMatchInlineSnapshot(`
    [
      [
        "CiliumNetworkPolicy",
        "p.yaml:1:1",
        [
          "spec",
          "specs[0]",
        ],
      ],
      [
        "NetworkPolicy",
        "p.yaml:12:1",
        [
          "spec",
        ],
      ],
    ]
  `)
  expect(() => parsePolicies(`${CNP}  ${spec}---\n${CNP}  ${spec}`, 'p.yaml')).toThrowErrorMatchingInlineSnapshot(
    `[LabError: p.yaml:12:9: metadata.name: a second CiliumNetworkPolicy of that name (the first: p.yaml:1:1)]`,
  )
})

test.for([
  'egress: [{ toFQDNs: [{ matchName: example.com }] }]',
  'egress: [{ toServices: [{ k8sService: { serviceName: s } }] }]',
  'ingress: [{ icmps: [{ fields: [{ type: 8 }] }] }]',
  'ingress: [{ authentication: { mode: required } }]',
  'ingress: [{ fromNodes: [{}] }]',
  'egress: [{ toGroups: [{}] }]',
  'ingress: [{ fromRequires: [{}] }]',
  'ingress: [{ toPorts: [{ ports: [{ port: "80" }], terminatingTLS: {} }] }]',
  'egress: [{ toPorts: [{ ports: [{ port: "443" }], serverNames: [a.example] }] }]',
  'egress: [{ toPorts: [{ ports: [{ port: "80" }], listener: {} }] }]',
  'egress: [{ toPorts: [{ ports: [{ port: "53" }], rules: { dns: [{ matchPattern: "*" }] } }] }]',
  'ingress: [{ toPorts: [{ ports: [{ port: "80", protocol: TCP }], rules: { kafka: [] } }] }]',
  'ingress: [{ fromEntities: [remote-node] }]',
  'ingress: [{ fromEntities: [everyone] }]',
  'ingressDeny: [{ fromEntities: [host] }]',
  'ingress: [{ fromCIDRSet: [{ cidrGroupRef: group }] }]',
  'nodeSelector: {}',
  'ingress: [{ fromEndpoint: [{}] }]',
  'ingres: [{}]',
])('what the lab can not enforce is refused by name: %s', (rest) => {
  expect(answer(CNP, allSelected(rest))).toMatchSnapshot()
})

test.for([
  'ingress: []',
  'description: nothing',
  'enableDefaultDeny: { ingress: false }, ingress: []',
  'ingress: [{ fromEndpoints: [{}], fromCIDR: [10.0.0.0/8] }]',
  'ingress: [{ toPorts: [{}] }]',
  'ingress: [{ toPorts: [{ ports: [{ port: 80 }] }] }]',
  'ingress: [{ toPorts: [{ ports: [{ port: "80", endPort: 79 }] }] }]',
  'ingress: [{ toPorts: [{ ports: [{ port: "65536" }] }] }]',
  'ingress: [{ toPorts: [{ ports: [{ port: "0", endPort: 9 }] }] }]',
  'ingress: [{ toPorts: [{ ports: [{ port: http, endPort: 9 }] }] }]',
  'ingress: [{ toPorts: [{ ports: [{ port: "80", protocol: ICMP }] }] }]',
  'ingress: [{ toPorts: [{ ports: [{ port: "80" }], rules: { http: [{}] } }] }]',
  'ingress: [{ toPorts: [{ ports: [{ port: "80", protocol: TCP }], rules: { http: [] } }] }]',
  'ingress: [{ toPorts: [{ ports: [{ port: "0", protocol: TCP }], rules: { http: [{}] } }] }]',
  'ingressDeny: [{ toPorts: [{ ports: [{ port: "80", protocol: TCP }], rules: { http: [{}] } }] }]',
  'ingress: [{ toPorts: [{ ports: [{ port: "80", protocol: TCP }], rules: { http: [{ path: "/(?!admin).*" }] } }] }]',
  'ingress: [{ toPorts: [{ ports: [{ port: "80", protocol: TCP }], rules: { http: [{ headers: ["X-A:b"] }] } }] }]',
  'ingress: [{ toPorts: [{ ports: [{ port: "80", protocol: TCP }], rules: { http: [{ headerMatches: [{ name: a, mismatch: LOG }] }] } }] }]',
  'ingress: [{ fromCIDR: [10.0.0.0/33] }]',
  'ingress: [{ fromCIDR: ["::ffff:10.0.0.0/104"] }]',
  'ingress: [{ fromCIDRSet: [{ cidr: 10.0.0.0/8, except: [11.0.0.0/16] }] }]',
  'ingress: [{ fromEndpoints: [{ matchExpressions: [{ key: a, operator: In }] }] }]',
  'ingress: [{ fromEndpoints: [{ matchExpressions: [{ key: a, operator: Gt, values: ["1"] }] }] }]',
  'ingress: [{ fromEndpoints: [{ matchLabels: { "container:a": b } }] }]',
  'ingress: [{ fromEndpoints: [{ matchLabels: { "k8s:io.cilium.k8s.namespace.labels.team": b } }] }]',
  'ingress: [{ fromEndpoints: [{ matchLabels: { a: 1 } }] }]',
  'ingress: {}',
  'ingress: [allow]',
])('contradictory, empty or malformed: %s', (rest) => {
  expect(answer(CNP, allSelected(rest))).toMatchSnapshot()
})

test.for([
  ['no fromEndpoints and no ports: nobody, but default deny', 'ingress: [{}]'],
  ['every pod of the namespace', 'ingress: [{ fromEndpoints: [{}] }]'],
  ['an empty list is nobody', 'ingress: [{ fromEndpoints: [] }]'],
  ['an empty list beside ports is nobody', 'ingress: [{ fromEndpoints: [], toPorts: [{ ports: [{ port: "80" }] }] }]'],
  ['ports without peers are for everyone', 'ingress: [{ toPorts: [{ ports: [{ port: "80", protocol: tcp }] }] }]'],
  ['an empty list of ports is every port', 'ingress: [{ fromEntities: [world], toPorts: [] }]'],
  ['null is nothing', 'ingress: [{ fromEndpoints: null, fromEntities: [all] }], egress: null'],
  ['deny alone denies by default', 'egressDeny: [{ toCIDR: [10.0.0.7] }]'],
  ['a named namespace', 'ingress: [{ fromEndpoints: [{ matchLabels: { "k8s:io.kubernetes.pod.namespace": shop } }] }]'],
  ['the world by its label', 'ingress: [{ fromEndpoints: [{ matchLabels: { "reserved:world": "" } }] }]'],
] as const)('%s', ([, rest]) => {
  expect(answer(CNP, allSelected(rest))).toMatchSnapshot()
})

test.for([
  '{}',
  '{ podSelector: {} }',
  '{ podSelector: {}, policyTypes: [Egress] }',
  '{ podSelector: {}, policyTypes: [Egress], ingress: [{}] }',
  '{ podSelector: {}, policyTypes: [Both] }',
  '{ podSelector: {}, ingress: [{ from: [] }], egress: [] }',
  '{ podSelector: {}, ingress: [{ from: [{}] }] }',
  '{ podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: 10.0.0.0/8 }, podSelector: {} }] }] }',
  '{ podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: a } } }] }] }',
  '{ podSelector: {}, ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchLabels: { a: b } } }] }] }',
  '{ podSelector: {}, ingress: [{ ports: [{ port: "8080" }] }] }',
  '{ podSelector: {}, ingress: [{ ports: [{ endPort: 90 }] }] }',
  '{ podSelector: {}, ingress: [{ ports: [{ protocol: UDP }, { port: 80, endPort: 90 }, { port: http }] }] }',
  '{ endpointSelector: {} }',
])('NetworkPolicy %s', (spec) => {
  expect(answer(NP, spec)).toMatchSnapshot()
})

test.for([
  CNP.replace('CiliumNetworkPolicy', 'Ingress'),
  CNP.replace('cilium.io/v2', 'cilium.io/v1'),
  CNP.replace('  name: p', '  namespace: p'),
  CNP.replace('CiliumNetworkPolicy', 'CiliumClusterwideNetworkPolicy').replace('name: p', 'name: p\n  namespace: a'),
  CNP.replace('kind', 'knd'),
])('the head of a policy: %j', (head) => {
  expect(answer(head, allSelected('ingress: [{}]'))).toMatchSnapshot()
})
