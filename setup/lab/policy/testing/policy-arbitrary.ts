import fc from 'fast-check'
import { isIPv4 } from 'node:net'
import type { World } from '../world.ts'

/** The words of which random policies are made: few, so that rules and flows meet. */
export interface Vocabulary {
  readonly labels: { readonly [key: string]: readonly string[] }
  readonly namespaces: readonly string[]
  /** Of pods, of the node and of the world. */
  readonly addresses: readonly string[]
  readonly ports: readonly number[]
  readonly portNames: readonly string[]
  readonly paths: readonly string[]
}

/** How many lists of ports have HTTP rules; with `most`, no rule denies. */
export type HttpShare = 'none' | 'some' | 'most'

/** What there is in a world, and some of what there isn't. */
export function vocabularyOf(world: World, outside: readonly string[], ports: readonly number[]): Vocabulary {
  const labels: { [key: string]: string[] } = {}
  for (const endpoint of world.endpoints) {
    for (const [key, value] of Object.entries(endpoint.labels)) {
      labels[key] = [...new Set([...(labels[key] ?? []), value])]
    }
  }
  return {
    labels: Object.fromEntries(Object.entries(labels).map(([key, values]) => [key, [...values, 'nobody']])),
    namespaces: [...new Set(world.endpoints.map(({ namespace }) => namespace ?? 'default'))],
    addresses: [...world.endpoints.flatMap(({ addresses }) => addresses), ...world.hostAddresses, ...outside],
    ports,
    portNames: [...new Set(world.endpoints.flatMap((endpoint) => endpoint.ports.map(({ name }) => name))), 'unknown'],
    paths: ['/', '/public', '/private/.*', '/(a|b)/[0-9]+', String.raw`/\?bytes=\d+`],
  }
}

/** Manifests of any of the three kinds, with the name given. */
export function policyManifest(
  words: Vocabulary,
  { http = 'some' }: { readonly http?: HttpShare } = {},
): (name: string) => fc.Arbitrary<object> {
  return (name) =>
    fc.oneof(
      { weight: 3, arbitrary: ciliumPolicy(words, name, http) },
      { weight: 1, arbitrary: kubernetesPolicy(words, name) },
    )
}

/** Up to `most` manifests of different names. */
export function policyManifests(
  words: Vocabulary,
  most: number,
  options?: { readonly http?: HttpShare },
): fc.Arbitrary<object[]> {
  const one = policyManifest(words, options)
  return fc
    .integer({ min: 1, max: most })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => one(`policy-${index}`))))
}

function ciliumPolicy(words: Vocabulary, name: string, http: HttpShare): fc.Arbitrary<object> {
  const spec = ciliumSpec(words, http)
  return fc
    .tuple(
      fc.constantFrom('CiliumNetworkPolicy', 'CiliumNetworkPolicy', 'CiliumClusterwideNetworkPolicy'),
      fc.constantFrom(...words.namespaces),
      spec,
      fc.option(fc.array(spec, { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 2 }),
    )
    .map(([kind, namespace, first, more]) => ({
      apiVersion: 'cilium.io/v2',
      kind,
      metadata: { name, ...(kind === 'CiliumNetworkPolicy' ? { namespace } : {}) },
      spec: first,
      ...(more ? { specs: more } : {}),
    }))
}

function ciliumSpec(words: Vocabulary, http: HttpShare): fc.Arbitrary<object> {
  const rules = (direction: 'from' | 'to', verdict: 'allow' | 'deny'): fc.Arbitrary<object[] | undefined> =>
    verdict === 'deny' && http === 'most'
      ? fc.constant(undefined)
      : fc.option(fc.array(ciliumRule(words, direction, verdict, http), { maxLength: 3 }), {
          nil: undefined,
          freq: verdict === 'allow' ? 3 : 2,
        })
  return fc
    .record({
      endpointSelector: selector(words, 'cilium'),
      ingress: rules('from', 'allow'),
      ingressDeny: rules('from', 'deny'),
      egress: rules('to', 'allow'),
      egressDeny: rules('to', 'deny'),
      enableDefaultDeny: fc.option(fc.record({ ingress: fc.boolean(), egress: fc.boolean() }, { requiredKeys: [] }), {
        nil: undefined,
        freq: 2,
      }),
    })
    .map(withoutUndefined)
    .filter(saysSomething)
}

function saysSomething(spec: { readonly [field: string]: unknown }): boolean {
  const rules = ['ingress', 'ingressDeny', 'egress', 'egressDeny'].some((section) => {
    const list = spec[section]
    return Array.isArray(list) && list.length > 0
  })
  return rules || Object.values(spec['enableDefaultDeny'] ?? {}).includes(true)
}

function ciliumRule(
  words: Vocabulary,
  direction: 'from' | 'to',
  verdict: 'allow' | 'deny',
  http: HttpShare,
): fc.Arbitrary<object> {
  const list = (name: string, item: fc.Arbitrary<unknown>): fc.Arbitrary<object> =>
    fc.array(item, { minLength: 0, maxLength: 2, size: 'max' }).map((items) => ({ [`${direction}${name}`]: items }))
  // The node may always reach its pods, so denying it by name is refused.
  const entities =
    direction === 'from' && verdict === 'deny' ? ['world', 'cluster', 'all'] : ['world', 'host', 'cluster', 'all']
  const peers = fc.oneof(
    { weight: 3, arbitrary: list('Endpoints', peerSelector(words)) },
    {
      weight: 2,
      arbitrary: list(
        'CIDR',
        cidr(words).map(({ text }) => text),
      ),
    },
    { weight: 3, arbitrary: list('CIDRSet', cidrWithHoles(words)) },
    { weight: 2, arbitrary: list('Entities', fc.constantFrom(...entities)) },
    { weight: 2, arbitrary: fc.constant({}) },
  )
  const toPorts = fc.option(
    fc.array(toPort(words, verdict === 'allow' ? http : 'none'), { minLength: 1, maxLength: 2 }),
    {
      nil: undefined,
      freq: 3,
    },
  )
  return fc.tuple(peers, toPorts).map(([who, ports]) => ({ ...who, ...(ports ? { toPorts: ports } : {}) }))
}

function toPort(words: Vocabulary, http: HttpShare): fc.Arbitrary<object> {
  const plain = fc.record({ ports: fc.array(ciliumPort(words), { minLength: 1, maxLength: 3 }) })
  if (http === 'none') return plain
  const guarded = fc.record({
    ports: fc.array(
      ciliumPort(words)
        .filter(({ port }) => port !== '0')
        .map((port) => ({ ...port, protocol: 'TCP' })),
      { minLength: 1, maxLength: 2 },
    ),
    rules: fc.record({ http: fc.array(httpRule(words), { minLength: 1, maxLength: 2 }) }),
  })
  return fc.oneof({ weight: 1, arbitrary: plain }, { weight: http === 'most' ? 6 : 1, arbitrary: guarded })
}

interface CiliumPort {
  readonly port: string
  readonly endPort?: number
  readonly protocol?: string
}

function ciliumPort(words: Vocabulary): fc.Arbitrary<CiliumPort> {
  const protocol = fc.constantFrom('TCP', 'TCP', 'UDP', 'SCTP', 'ANY', undefined)
  const port = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...words.ports).map((number): CiliumPort => ({ port: String(number) })) },
    {
      weight: 3,
      arbitrary: portRange(words).map(([first, last]): CiliumPort => ({ port: String(first), endPort: last })),
    },
    { weight: 1, arbitrary: fc.constantFrom(...words.portNames).map((name): CiliumPort => ({ port: name })) },
    { weight: 1, arbitrary: fc.constant<CiliumPort>({ port: '0' }) },
  )
  return fc.tuple(port, protocol).map(([one, name]) => (name === undefined ? one : { ...one, protocol: name }))
}

function portRange(words: Vocabulary): fc.Arbitrary<[number, number]> {
  return fc
    .tuple(fc.constantFrom(...words.ports), fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 300 }))
    .map(([port, before, after]) => [Math.max(1, port - before), Math.min(65535, port + after)])
}

function httpRule(words: Vocabulary): fc.Arbitrary<object> {
  const usually = fc.record(
    { method: fc.constantFrom('GET', 'POST', 'GET|HEAD'), path: fc.constantFrom(...words.paths) },
    { requiredKeys: [] },
  )
  const seldom = fc.record(
    {
      host: fc.constantFrom('http-echo', String.raw`.*\.example\.com`),
      headers: fc.constantFrom(['X-Token'], ['X-Token: secret']),
    },
    { requiredKeys: [] },
  )
  return fc.oneof(
    { weight: 2, arbitrary: usually },
    { weight: 1, arbitrary: fc.tuple(usually, seldom).map(([a, b]) => ({ ...a, ...b })) },
  )
}

function kubernetesPolicy(words: Vocabulary, name: string): fc.Arbitrary<object> {
  const block = cidrWithHoles(words).map((ipBlock) => ({ ipBlock }))
  const pods = selector(words, 'kubernetes')
  const namespaceSelector = fc.oneof(
    fc.constant({}),
    fc.constantFrom(...words.namespaces, 'elsewhere').map((one) => ({
      matchLabels: { 'kubernetes.io/metadata.name': one },
    })),
    fc.constantFrom(...words.namespaces).map((one) => ({
      matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: [one] }],
    })),
  )
  const peer = fc.oneof(
    block,
    pods.map((podSelector) => ({ podSelector })),
    namespaceSelector.map((one) => ({ namespaceSelector: one })),
    fc.record({ podSelector: pods, namespaceSelector }),
  )
  const port = fc
    .tuple(
      fc.oneof(
        fc.constantFrom(...words.ports).map((number) => ({ port: number })),
        portRange(words).map(([first, last]) => ({ port: first, endPort: last })),
        fc.constantFrom(...words.portNames).map((one) => ({ port: one })),
        fc.constant({}),
      ),
      fc.constantFrom('TCP', 'UDP', undefined),
    )
    .map(([one, protocol]) => (protocol ? { ...one, protocol } : one))
  const rule = (peers: 'from' | 'to'): fc.Arbitrary<object> =>
    fc.record(
      { [peers]: fc.array(peer, { maxLength: 2 }), ports: fc.array(port, { maxLength: 2 }) },
      { requiredKeys: [] },
    )
  return fc
    .record({
      namespace: fc.constantFrom(...words.namespaces),
      podSelector: pods,
      ingress: fc.array(rule('from'), { maxLength: 2 }),
      egress: fc.array(rule('to'), { maxLength: 2 }),
      types: fc.constantFrom<(string[] | undefined)[]>(undefined, ['Ingress', 'Egress'], ['Ingress'], ['Egress']),
    })
    .map(({ namespace, podSelector, ingress, egress, types }) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name, namespace },
      spec: {
        podSelector,
        ...(types ? { policyTypes: types } : {}),
        ...(types && !types.includes('Ingress') ? {} : { ingress }),
        ...(types && !types.includes('Egress') ? {} : { egress }),
      },
    }))
}

function peerSelector(words: Vocabulary): fc.Arbitrary<object> {
  return fc.oneof(
    { weight: 5, arbitrary: selector(words, 'cilium') },
    {
      weight: 1,
      arbitrary: fc.constantFrom('reserved:host', 'reserved:world').map((key) => ({ matchLabels: { [key]: '' } })),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(...words.namespaces).map((one) => ({
        matchLabels: { 'k8s:io.kubernetes.pod.namespace': one },
      })),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(...words.namespaces).map((one) => ({
        matchExpressions: [{ key: 'io.kubernetes.pod.namespace', operator: 'NotIn', values: [one] }],
      })),
    },
  )
}

function selector(words: Vocabulary, dialect: 'cilium' | 'kubernetes'): fc.Arbitrary<object> {
  const label = fc
    .constantFrom(...Object.keys(words.labels))
    .chain((key) => fc.tuple(fc.constant(key), fc.constantFrom(...(words.labels[key] ?? ['']))))
  const prefixed = fc
    .tuple(label, fc.constantFrom('', '', ...(dialect === 'cilium' ? ['k8s:', 'any:'] : [])))
    .map(([[key, value], source]): [string, string] => [`${source}${key}`, value])
  const expression = fc
    .tuple(prefixed, fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist'))
    .map(([[key, value], operator]) => ({
      key,
      operator,
      ...(operator === 'In' || operator === 'NotIn' ? { values: [value] } : {}),
    }))
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant({}) },
    { weight: 4, arbitrary: prefixed.map(([key, value]) => ({ matchLabels: { [key]: value } })) },
    {
      weight: 2,
      arbitrary: fc.array(expression, { minLength: 1, maxLength: 2 }).map((matchExpressions) => ({ matchExpressions })),
    },
  )
}

interface Cidr {
  readonly text: string
  readonly address: string
  readonly length: number
}

function cidr(words: Vocabulary): fc.Arbitrary<Cidr> {
  return fc.constantFrom(...words.addresses).chain((address) => {
    const bits = isIPv4(address) ? 32 : 128
    return fc
      .oneof(fc.constantFrom(0, bits, bits - 8, bits / 2), fc.integer({ min: 0, max: bits }))
      .map((length) => ({ text: `${address}/${length}`, address, length }))
  })
}

/** Holes around the block's own address: they lie in it whatever its length. */
function cidrWithHoles(words: Vocabulary): fc.Arbitrary<object> {
  return cidr(words).chain(({ text, address, length }) =>
    fc.array(fc.integer({ min: length, max: isIPv4(address) ? 32 : 128 }), { maxLength: 2 }).map((lengths) => ({
      cidr: text,
      ...(lengths.length > 0 ? { except: lengths.map((hole) => `${address}/${hole}`) } : {}),
    })),
  )
}

function withoutUndefined(value: object): { [field: string]: unknown } {
  return Object.fromEntries(Object.entries(value).filter(([, content]) => content !== undefined))
}
