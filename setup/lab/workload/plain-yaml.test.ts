import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { scaleManifest } from '../policy/scale-policy.ts'
import { policyManifests, vocabularyOf } from '../policy/testing/policy-arbitrary.ts'
import { OUTSIDE, TEST_PORTS, TEST_WORLD } from '../policy/testing/test-world.ts'
import { readPlainYaml } from './plain-yaml.ts'
import { parseYaml } from './yaml-source.ts'

/** What the `yaml` package reads, with the place of each document that says something; undefined: it is not YAML. */
function byYaml(text: string): { value: unknown; at: string }[] | undefined {
  try {
    const source = parseYaml(text, '/f')
    return source.documents
      .map((document) => ({ value: document.toJS() as unknown, at: source.locate(document, []) }))
      .filter(({ value }) => value !== null && value !== undefined)
  } catch {
    return undefined
  }
}
const asByYaml = (text: string): { value: unknown; at: string }[] | undefined =>
  readPlainYaml(text)?.map(({ value, line, column }) => ({ value, at: `/f:${line}:${column}: the document` }))

test('manifests as kubectl prints them, with comments, lists at either depth, and several documents', () => {
  const text = `# a policy
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
    name: l3-l4
    namespace:
spec:
  endpointSelector: {}
  enableDefaultDeny: { }
---
spec:
  endpointSelector:
    matchLabels:
      k8s:app: http-echo
      "k8s:io.kubernetes.pod.namespace": 'default'
  # indented or not
  ingress:
  - fromCIDR: [ ]
`
  expect(asByYaml(text)).toBeUndefined()
  const plain = text
    .replace('{ }', '\n    ingress: false')
    .replace('[ ]', '\n    - 10.0.0.0/8\n    - "fd00::/64"')
    .replace('k8s:app', 'app')
  expect(asByYaml(plain)).toEqual(byYaml(plain))
  expect(asByYaml(plain)).toMatchInlineSnapshot(`
    [
      {
        "at": "/f:2:1: the document",
        "value": {
          "apiVersion": "cilium.io/v2",
          "kind": "CiliumNetworkPolicy",
          "metadata": {
            "name": "l3-l4",
            "namespace": null,
          },
          "spec": {
            "enableDefaultDeny": {
              "ingress": false,
            },
            "endpointSelector": {},
          },
        },
      },
      {
        "at": "/f:12:1: the document",
        "value": {
          "spec": {
            "endpointSelector": {
              "matchLabels": {
                "app": "http-echo",
                "k8s:io.kubernetes.pod.namespace": "default",
              },
            },
            "ingress": [
              {
                "fromCIDR": [
                  "10.0.0.0/8",
                  "fd00::/64",
                ],
              },
            ],
          },
        },
      },
    ]
  `)
})

test.for([
  'a: &anchor b',
  'a: *anchor',
  'a: {b: c}',
  'a: [b]',
  'a: |\n  b',
  'a: b\n  c',
  'a: "b\\n"',
  "a: 'b''c'",
  'a: b # c',
  'a: 1\na: 2',
  'a:\n\tb: c',
  'a: 0x1f',
  'a: 1.5',
  'a: ~',
  'a: yes',
  'a: !!str 1',
  '? a\n: b',
  'a: b: c',
  '-\n  a',
  '- a\nb: c',
  'a:\n    b: 1\n  c: 2',
  '%YAML 1.2\n---\na: b',
  '--- a',
  'a: b\n...\n',
  'a',
  '__proto__: 1',
  'null: 1',
  'ä: 1',
  'a: b\r\n',
])('it leaves to the yaml package: %j', (text) => {
  expect(readPlainYaml(text)).toBeUndefined()
})

const scalars = fc.constantFrom(
  'x',
  '"8080"',
  "'a b'",
  '10.0.0.0/8',
  '7',
  'true',
  '{}',
  '[]',
  'k8s:app',
  '/p/.*',
  'fd00::1/64',
  '2001:db8::2',
  '1:2:3:4',
  'f:',
  '.*',
  '*',
  'no',
  '1e3',
  '#x',
  '- y',
  'a: b',
  'a:',
  '"a": b',
  '',
  '~',
  '0o7',
  '01',
  '-1',
  '!x',
  '&x',
  '@x',
  'a:b:',
  '"a" b',
  'a, b',
  "''",
  'http://x',
)
const lines = fc
  .tuple(
    fc.nat({ max: 6 }),
    fc.constantFrom('', '- ', '-   ', '- - ', 'a: ', 'b:  ', '"c": ', '# ', '---', 'd:'),
    scalars,
  )
  .map(([indent, head, scalar]) => `${' '.repeat(indent)}${head}${scalar}`)

test('of any lines it reads what the yaml package reads, at the same place, or nothing', () => {
  let read = 0
  fc.assert(
    fc.property(fc.array(lines, { minLength: 1, maxLength: 7 }), (some) => {
      const text = some.join('\n')
      const own = asByYaml(text)
      if (own === undefined) return
      read++
      expect({ text, documents: own }).toEqual({ text, documents: byYaml(text) })
    }),
    { numRuns: 30_000 },
  )
  expect(read).toBeGreaterThan(1000)
}, 300_000)

test('ten thousand rules are plain', () => {
  const manifest = scaleManifest(10_000, { server: { app: 'http-echo' }, client: { app: 'client' }, port: 8080 })
  const text = stringify(manifest, { aliasDuplicateObjects: false })
  expect(readPlainYaml(text)).toEqual([{ value: manifest, line: 1, column: 1 }])
})

test('of random policies as YAML, what it reads is the same', () => {
  let read = 0
  const manifests = policyManifests(vocabularyOf(TEST_WORLD, OUTSIDE, TEST_PORTS), 3)
  fc.assert(
    fc.property(manifests, (some) => {
      const text = some.map((one) => stringify(one, { aliasDuplicateObjects: false })).join('---\n')
      const own = asByYaml(text)
      if (own === undefined) return
      read++
      expect(own).toEqual(byYaml(text))
    }),
    { numRuns: 300 },
  )
  expect(read).toBeGreaterThan(30)
}, 300_000)
