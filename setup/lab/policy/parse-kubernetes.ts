import { FieldError, fieldsOf, itemsOf } from './field.ts'
import type { Field } from './field.ts'
import { cidrPeer } from './parse-cidr.ts'
import { EVERY_PORT, parsePort, parseProtocol } from './parse-ports.ts'
import { inNamespace, NAMESPACE_LABEL, NAMESPACE_NAME_LABEL, parseSelector, subjectOf } from './parse-selector.ts'
import type { Direction, DirectionRules, Peer, PolicySpec, PortRange, PortRule, Rule, Selector } from './policy.ts'

/**
 * The spec of a networking.k8s.io/v1 NetworkPolicy (Kubernetes' reference, "Network Policies"), as Cilium enforces it.
 * @throws FieldError
 */
export function parseKubernetesSpec(field: Field, namespace: string): PolicySpec {
  const { podSelector, policyTypes, ingress, egress } = fieldsOf(field, [
    'podSelector',
    'policyTypes',
    'ingress',
    'egress',
  ])
  if (!podSelector) throw new FieldError(field.path, 'podSelector is missing; {} selects every pod')
  const types = policyTypes && itemsOf(policyTypes).map(typeOf)
  // Without policyTypes: ingress always, egress if there are rules for it.
  const rulesOut = egress ? itemsOf(egress) : []
  const enforced = types && types.length > 0 ? types : ['ingress', ...(rulesOut.length > 0 ? ['egress'] : [])]
  const read = (way: Direction, section: Field | undefined): DirectionRules => {
    const items = section ? itemsOf(section) : []
    const defaultDeny = enforced.includes(way)
    if (items.length > 0 && !defaultDeny && section) {
      throw new FieldError(
        section.path,
        'policyTypes leaves this direction out, so these rules would do nothing; add it there',
      )
    }
    return { defaultDeny, rules: items.map((item) => parseRule(item, way, namespace)) }
  }
  return {
    path: field.place,
    selector: subjectOf(parseSelector(podSelector, 'kubernetes'), podSelector, namespace),
    ingress: read('ingress', ingress),
    egress: read('egress', egress),
  }
}

function typeOf(field: Field): Direction {
  if (field.value === 'Ingress') return 'ingress'
  if (field.value === 'Egress') return 'egress'
  throw new FieldError(field.path, 'policy types are Ingress and Egress')
}

function parseRule(field: Field, way: Direction, namespace: string): Rule {
  const peerField = way === 'ingress' ? 'from' : 'to'
  const fields = fieldsOf(field, [peerField, 'ports'])
  const peers = fields[peerField] ? itemsOf(fields[peerField]) : []
  const ports = fields.ports ? itemsOf(fields.ports) : []
  const path = field.place
  const portRule: PortRule = {
    path: fields.ports ? fields.ports.place : path,
    ports: ports.map(parsePortItem),
    http: undefined,
  }
  return {
    verdict: 'allow',
    path,
    // Both lists: missing or empty is everything.
    peers: peers.length > 0 ? peers.map((peer) => parsePeer(peer, namespace)) : 'any',
    ports: ports.length > 0 ? [portRule] : 'any',
  }
}

function parsePeer(field: Field, namespace: string): Peer {
  const { podSelector, namespaceSelector, ipBlock } = fieldsOf(field, ['podSelector', 'namespaceSelector', 'ipBlock'])
  if (ipBlock) {
    if (podSelector || namespaceSelector) throw new FieldError(field.path, 'ipBlock stands alone in a peer')
    const { cidr, except } = fieldsOf(ipBlock, ['cidr', 'except'])
    if (!cidr) throw new FieldError(ipBlock.path, 'cidr is missing')
    return cidrPeer(cidr, except)
  }
  if (!podSelector && !namespaceSelector) {
    throw new FieldError(field.path, 'a peer needs podSelector, namespaceSelector or ipBlock')
  }
  const pods: Selector = podSelector ? parseSelector(podSelector, 'kubernetes') : { requirements: [] }
  if (!namespaceSelector) return { kind: 'endpoints', selector: inNamespace(pods, namespace) }
  const namespaces = parseSelector(namespaceSelector, 'kubernetes').requirements.map((requirement) => {
    if (requirement.key !== 'kubernetes.io/metadata.name') {
      throw new FieldError(namespaceSelector.path, "the lab's namespaces have no label but kubernetes.io/metadata.name")
    }
    return { ...requirement, key: NAMESPACE_NAME_LABEL }
  })
  return {
    kind: 'endpoints',
    selector: {
      requirements: [
        ...pods.requirements,
        ...namespaces,
        // A namespace holds pods, so neither the host nor the world is meant, whatever the selector says.
        { source: 'k8s', key: NAMESPACE_LABEL, operator: 'Exists', values: [] },
      ],
    },
  }
}

function parsePortItem(item: Field): PortRange {
  const { port, endPort, protocol } = fieldsOf(item, ['port', 'endPort', 'protocol'])
  const protocols = parseProtocol(protocol, 'kubernetes')
  if (port) return { protocols, ports: parsePort(port, endPort, 'kubernetes') }
  if (endPort) throw new FieldError(endPort.path, 'endPort needs a port to begin from')
  return { protocols, ports: EVERY_PORT }
}
