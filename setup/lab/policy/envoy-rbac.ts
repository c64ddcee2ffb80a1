import type { Json } from '../envoy/json.ts'
import { knownPrefix } from './cidr-identities.ts'
import type { AddressSet, L7Guard, L7Ports } from './compiled-policy.ts'
import type { Direction, HttpRule, Re2 } from './policy.ts'

type Term = { readonly [name: string]: Json }

/**
 * The two RBAC filters of the node's one Envoy: a request must pass both, the sender's rules and the receiver's. A flow
 * that no HTTP rule guards in a direction passes there: it is in the proxy for the other direction's sake.
 * Envoy has to know the client's own address and the address that it called (the proxy keeps both).
 */
export function envoyRbac(l7: readonly L7Guard[]): { readonly egress: RbacFilter; readonly ingress: RbacFilter } {
  return { egress: rbacFilter('egress', l7), ingress: rbacFilter('ingress', l7) }
}

/** An HTTP filter as Envoy's configuration names it. */
type RbacFilter = { readonly name: string; readonly typed_config: Json }

function rbacFilter(direction: Direction, l7: readonly L7Guard[]): RbacFilter {
  const guards = l7.filter((guard) => guard.direction === direction)
  const { own } = SIDES[direction]
  const guarded = guards.flatMap(({ addresses }) => addresses.map((address) => own.address(address)))
  return {
    name: `meshmark.policy.${direction}`,
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC',
      rules_stat_prefix: `policy_${direction}_`,
      rules: {
        action: 'ALLOW',
        policies: {
          'pods without HTTP rules': policy(direction, guarded.length > 0 ? own.not(own.some(guarded)) : ANY, ANY),
          ...Object.assign({}, ...guards.map(policiesOf)),
        },
      },
    },
  }
}

function policiesOf({ direction, addresses, ports }: L7Guard, index: number): Term {
  const { own, peer } = SIDES[direction]
  const self = own.some(addresses.map((address) => own.address(address)))
  const policies: { [name: string]: Json } = {
    [`${index} other ports`]: policy(direction, self, ANY, [permission.not(permission.some(ports.map(isPort)))]),
  }
  for (const stretch of ports) {
    const name = `${index} port ${stretch.first}`
    if (stretch.open === 'all' || stretch.open.length > 0) {
      policies[`${name} without HTTP rules`] = policy(direction, self, addressIn(peer, stretch.open), [isPort(stretch)])
    }
    for (const [place, { rule, peers, http }] of stretch.rules.entries()) {
      policies[`${name} rule ${rule}.${place}`] = policy(direction, self, addressIn(peer, peers), [
        isPort(stretch),
        permission.some(http.map(isRequest)),
      ])
    }
  }
  return policies
}

/** How Envoy's RBAC (config.rbac.v3) says "and", "or", "not" of one end of a flow. */
interface Side {
  all(terms: readonly Term[]): Term
  some(terms: readonly Term[]): Term
  not(term: Term): Term
  /** An address or a block. */
  address(text: string): Term
}

const ANY: Term = { any: true }

/** Of the server and of the request. */
const permission: Side = {
  all: (terms) => one(terms) ?? { and_rules: { rules: terms } },
  some: (terms) => one(terms) ?? { or_rules: { rules: terms } },
  not: (term) => ({ not_rule: term }),
  address: (text) => ({ destination_ip: range(text) }),
}

/** Of the client: its own address, never what a header claims. */
const principal: Side = {
  all: (terms) => one(terms) ?? { and_ids: { ids: terms } },
  some: (terms) => one(terms) ?? { or_ids: { ids: terms } },
  not: (term) => ({ not_id: term }),
  address: (text) => ({ direct_remote_ip: range(text) }),
}

/** On ingress the pod is the server and its peer the client, on egress the other way round. */
const SIDES: { readonly [direction in Direction]: { readonly own: Side; readonly peer: Side } } = {
  ingress: { own: permission, peer: principal },
  egress: { own: principal, peer: permission },
}

function policy(direction: Direction, own: Term, peer: Term, request: readonly Term[] = []): Term {
  const [server, client] = direction === 'ingress' ? [own, peer] : [peer, own]
  const needed = [server, ...request].filter((term) => term !== ANY)
  return {
    permissions: [needed.length === 0 ? ANY : permission.all(needed)],
    principals: [client],
  }
}

function one(terms: readonly Term[]): Term | undefined {
  return terms.length === 1 ? terms[0] : undefined
}

function addressIn(side: Side, set: AddressSet): Term {
  if (set === 'all') return ANY
  return side.some(
    set.map(({ within, except }) => {
      const hole = except.length > 0 ? [side.not(side.some(except.map((text) => side.address(text))))] : []
      if (within !== 'anywhere') return side.all([side.address(within), ...hole])
      return hole[0] ?? ANY
    }),
  )
}

function range(text: string): Json {
  const prefix = knownPrefix(text)
  return { address_prefix: prefix.text.slice(0, prefix.text.indexOf('/')), prefix_len: prefix.length }
}

function isPort({ first, last }: L7Ports): Term {
  return first === last
    ? { destination_port: first }
    : // The end is not part of Envoy's ranges.
      { destination_port_range: { start: first, end: last + 1 } }
}

function isRequest({ method, path, host, headers }: HttpRule): Term {
  const terms = [
    ...regex(':method', method),
    // Path and query.
    ...regex(':path', path),
    ...regex(':authority', host),
    ...headers.map(({ name, value }): Term => ({
      header: value === undefined ? { name, present_match: true } : { name, string_match: { exact: value } },
    })),
  ]
  return terms.length === 0 ? ANY : permission.all(terms)
}

/** Envoy's safe_regex must match the whole value, as Cilium's rules do. */
function regex(name: string, expression: Re2 | undefined): Term[] {
  return expression ? [{ header: { name, string_match: { safe_regex: { regex: expression.source } } } }] : []
}
