import { FieldError, fieldsOf, flagOf, itemsOf, shown, textOf } from './field.ts'
import type { Field } from './field.ts'
import { cidrPeer, parseCidr } from './parse-cidr.ts'
import { parseHttpRules } from './parse-http.ts'
import { parsePort, parseProtocol } from './parse-ports.ts'
import { parseSelector, peersOf, subjectOf } from './parse-selector.ts'
import type { Direction, DirectionRules, Entity, Peer, PolicySpec, PortRange, PortRule, Rule } from './policy.ts'
import { IN_PORTS, IN_RULES, IN_SPEC, OTHER_ENTITIES } from './not-enforced.ts'

/** Cilium's own limit. */
const MOST_PORTS = 40

/**
 * One rule set of a CiliumNetworkPolicy (`spec`, or an item of `specs`), with Cilium 1.20's meaning.
 * `namespace` is undefined for a policy of the whole cluster.
 * @throws FieldError
 */
export function parseCiliumSpec(field: Field, namespace: string | undefined): PolicySpec {
  const { endpointSelector, enableDefaultDeny, ...sections } = fieldsOf(
    field,
    [
      'endpointSelector',
      'ingress',
      'ingressDeny',
      'egress',
      'egressDeny',
      'enableDefaultDeny',
      'description',
      'labels',
    ],
    IN_SPEC,
  )
  if (!endpointSelector) throw new FieldError(field.path, 'endpointSelector is missing; {} selects every pod')
  const posture = enableDefaultDeny ? fieldsOf(enableDefaultDeny, ['ingress', 'egress']) : {}
  const ingress = direction('ingress', sections.ingress, sections.ingressDeny, posture.ingress, namespace)
  const egress = direction('egress', sections.egress, sections.egressDeny, posture.egress, namespace)
  if (!ingress.defaultDeny && !egress.defaultDeny && ingress.rules.length === 0 && egress.rules.length === 0) {
    throw new FieldError(
      field.path,
      'it allows nothing and denies nothing: an empty list of rules is none for Cilium. ingress: [{}] denies all that comes in',
    )
  }
  return {
    path: field.place,
    selector: subjectOf(parseSelector(endpointSelector, 'cilium'), endpointSelector, namespace),
    ingress,
    egress,
  }
}

function direction(
  way: Direction,
  allow: Field | undefined,
  deny: Field | undefined,
  posture: Field | undefined,
  namespace: string | undefined,
): DirectionRules {
  const rules = [
    ...(allow ? itemsOf(allow).map((item) => parseRule(item, way, 'allow', namespace)) : []),
    ...(deny ? itemsOf(deny).map((item) => parseRule(item, way, 'deny', namespace)) : []),
  ]
  return { defaultDeny: posture ? flagOf(posture) : rules.length > 0, rules }
}

const PEER_FIELDS = {
  ingress: { endpoints: 'fromEndpoints', cidr: 'fromCIDR', cidrSet: 'fromCIDRSet', entities: 'fromEntities' },
  egress: { endpoints: 'toEndpoints', cidr: 'toCIDR', cidrSet: 'toCIDRSet', entities: 'toEntities' },
} as const

function parseRule(field: Field, way: Direction, verdict: Rule['verdict'], namespace: string | undefined): Rule {
  const names = PEER_FIELDS[way]
  const fields = fieldsOf(field, [names.endpoints, names.cidr, names.cidrSet, names.entities, 'toPorts'], IN_RULES)
  const lists = [
    readPeers(fields[names.endpoints], (item) => endpointsPeer(item, namespace)),
    readPeers(fields[names.cidr], (item) => ({
      kind: 'cidr',
      prefix: parseCidr(item, 'prefix or address'),
      except: [],
    })),
    readPeers(fields[names.cidrSet], cidrSetPeer),
    readPeers(fields[names.entities], (item) => entityPeer(item, way, verdict)),
  ].filter((list) => list !== undefined)
  const filled = lists.filter(({ peers }) => peers.length > 0)
  const second = filled[1]
  if (second) {
    throw new FieldError(
      second.field.path,
      `a rule takes one kind of peer, as in Cilium; write a rule of its own for these`,
    )
  }
  const ports = fields.toPorts ? itemsOf(fields.toPorts).map((item) => parsePortRule(item, verdict)) : []
  // A list that is there but empty selects nobody, whatever stands beside it (pkg/policy/utils, mergeEndpointSelectors).
  const nobody = lists.length > filled.length
  // Without peers, ports mean everyone; without both, the rule is there to deny by default and allows nothing.
  const everyone = lists.length === 0 && ports.length > 0
  return {
    verdict,
    path: field.place,
    peers: everyone ? 'any' : nobody ? [] : (filled[0]?.peers ?? []),
    ports: ports.length > 0 ? ports : 'any',
  }
}

function readPeers(field: Field | undefined, read: (item: Field) => Peer): { peers: Peer[]; field: Field } | undefined {
  return field && { peers: itemsOf(field).map(read), field }
}

function endpointsPeer(item: Field, namespace: string | undefined): Peer {
  return { kind: 'endpoints', selector: peersOf(parseSelector(item, 'cilium'), namespace) }
}

function cidrSetPeer(item: Field): Peer {
  const { cidr, except } = fieldsOf(item, ['cidr', 'except'], {
    cidrGroupRef: 'the lab has no CiliumCIDRGroup; write the blocks',
    cidrGroupSelector: 'the lab has no CiliumCIDRGroup; write the blocks',
  })
  if (!cidr) throw new FieldError(item.path, 'cidr is missing')
  return cidrPeer(cidr, except)
}

function entityPeer(item: Field, way: Direction, verdict: Rule['verdict']): Peer {
  const name = textOf(item)
  const entity = ENTITIES.find((candidate) => candidate === name)
  if (!entity) {
    throw new FieldError(
      item.path,
      `${OTHER_ENTITIES.includes(name) ? `the lab has no ${name}` : `there is no entity "${name}"`}; it knows ${ENTITIES.join(', ')}`,
    )
  }
  if (entity === 'host' && way === 'ingress' && verdict === 'deny') {
    throw new FieldError(
      item.path,
      "the node always reaches its own pods, as Cilium's default has it (kubelet's probes)",
    )
  }
  return { kind: 'entity', entity }
}
const ENTITIES: readonly Entity[] = ['world', 'host', 'cluster', 'all']

function parsePortRule(field: Field, verdict: Rule['verdict']): PortRule {
  const { ports, rules } =
    verdict === 'allow'
      ? fieldsOf(field, ['ports', 'rules'], IN_PORTS)
      : { rules: undefined, ...fieldsOf(field, ['ports'], IN_DENIED_PORTS) }
  const items = ports ? itemsOf(ports) : []
  if (items.length === 0) throw new FieldError(field.path, 'ports are missing: it would match nothing')
  if (items.length > MOST_PORTS) {
    throw new FieldError(
      ports?.path ?? field.path,
      `Cilium takes ${MOST_PORTS} ports in a list, these are ${items.length}`,
    )
  }
  const ranges = items.map(parsePortRange)
  const { http } = rules ? fieldsOf(rules, ['http'], IN_L7) : {}
  if (!http) {
    if (rules)
      throw new FieldError(
        rules.path,
        `an empty mapping says nothing (${shown(rules.value)}); write http, or leave rules out`,
      )
    return { path: field.place, ports: ranges, http: undefined }
  }
  ranges.forEach((range, index) => {
    const path = items[index]?.path ?? field.path
    if (range.protocols.some((protocol) => protocol !== 6)) {
      throw new FieldError(path, 'HTTP rules want protocol: TCP')
    }
    if ('first' in range.ports && range.ports.first === 0)
      throw new FieldError(path, "HTTP rules can't be for every port")
  })
  return { path: field.place, ports: ranges, http: parseHttpRules(http) }
}

const IN_DENIED_PORTS = { ...IN_PORTS, rules: 'a deny rule has no HTTP part, as in Cilium' } as const

const IN_L7 = {
  dns: "the lab's proxy knows HTTP only",
  kafka: "the lab's proxy knows HTTP only",
  l7: "the lab's proxy knows HTTP only",
  l7proto: "the lab's proxy knows HTTP only",
} as const

function parsePortRange(item: Field): PortRange {
  const { port, endPort, protocol } = fieldsOf(item, ['port', 'endPort', 'protocol'])
  if (!port) throw new FieldError(item.path, 'port is missing; "0" is every port')
  return { protocols: parseProtocol(protocol, 'cilium'), ports: parsePort(port, endPort, 'cilium') }
}
