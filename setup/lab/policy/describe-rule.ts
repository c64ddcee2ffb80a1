import type { Direction, Peer, PortRange, PortRule, Requirement, Rule, Selector } from './policy.ts'
import { NAMESPACE_LABEL } from './parse-selector.ts'

const NAMES: { readonly [protocols: string]: string } = { 6: 'TCP', 17: 'UDP', 132: 'SCTP', '6,17,132': 'any protocol' }

/** `allow TCP 8080 from pods with app=client`; long lists are cut. */
export function describeRule(rule: Rule, ports: PortRule | undefined, direction: Direction): string {
  const preposition = direction === 'ingress' ? 'from' : 'to'
  const what = ports ? `${ports.ports.map(describePorts).join(', ')}${ports.http ? ' (HTTP rules)' : ''}` : 'everything'
  return `${rule.verdict} ${what} ${preposition} ${describePeers(rule.peers)}`
}

function describePorts({ protocols, ports }: PortRange): string {
  const text =
    'name' in ports
      ? `"${ports.name}"`
      : ports.first === 0
        ? 'every port'
        : ports.first === ports.last
          ? String(ports.first)
          : `${ports.first} to ${ports.last}`
  return `${NAMES[protocols.join(',')] ?? protocols.join(',')} ${text}`
}

function describePeers(peers: Rule['peers']): string {
  if (peers === 'any') return 'everyone'
  const texts = peers.slice(0, 3).map(describePeer)
  if (texts.length === 0) return 'nobody'
  return peers.length > texts.length ? `${texts.join(', ')} and ${peers.length - texts.length} more` : texts.join(', ')
}

function describePeer(peer: Peer): string {
  switch (peer.kind) {
    case 'entity':
      return peer.entity
    case 'cidr':
      return peer.except.length === 0
        ? peer.prefix.text
        : `${peer.prefix.text} except ${peer.except.map(({ text }) => text).join(' and ')}`
    case 'endpoints':
      return describeSelector(peer.selector)
  }
}

function describeSelector({ requirements }: Selector): string {
  const texts = requirements
    .filter(({ key, operator }) => key !== NAMESPACE_LABEL || (operator !== 'In' && operator !== 'Exists'))
    .map(describeRequirement)
  return texts.length === 0 ? 'every pod' : `pods with ${texts.join(' and ')}`
}

function describeRequirement({ key, operator, values }: Requirement): string {
  const [first, second] = values
  const only = second === undefined ? first : undefined
  switch (operator) {
    case 'In':
      return only === undefined ? `${key} in (${values.join(', ')})` : `${key}=${only}`
    case 'NotIn':
      return only === undefined ? `${key} not in (${values.join(', ')})` : `${key}!=${only}`
    case 'Exists':
      return key
    case 'DoesNotExist':
      return `!${key}`
  }
}
