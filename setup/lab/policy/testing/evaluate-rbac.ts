import { BlockList, isIPv4 } from 'node:net'
import type { Json } from '../../envoy/json.ts'
import type { HttpRequest } from '../matches-request.ts'
import { parseRe2 } from '../re2.ts'
import type { Flow } from '../world.ts'

/** What Envoy's RBAC filter (config.rbac.v3) would say to a request, for the parts of it that the lab writes. */
export function passesRbac(filter: Json, flow: Flow, request: HttpRequest): boolean {
  const policies = at(at(at(filter, 'typed_config'), 'rules'), 'policies')
  return Object.values(objectOf(policies)).some(
    (policy) =>
      listOf(at(policy, 'permissions')).some((term) => holds(term, flow, request)) &&
      listOf(at(policy, 'principals')).some((term) => holds(term, flow, request)),
  )
}

function holds(term: Json, flow: Flow, request: HttpRequest): boolean {
  const [[kind, value] = ['', null], second] = Object.entries(objectOf(term))
  if (second) throw new Error(`a term with two kinds: ${JSON.stringify(term)}`)
  switch (kind) {
    case 'any':
      return value === true
    case 'and_rules':
      return listOf(at(value, 'rules')).every((part) => holds(part, flow, request))
    case 'or_rules':
      return listOf(at(value, 'rules')).some((part) => holds(part, flow, request))
    case 'and_ids':
      return listOf(at(value, 'ids')).every((part) => holds(part, flow, request))
    case 'or_ids':
      return listOf(at(value, 'ids')).some((part) => holds(part, flow, request))
    case 'not_rule':
    case 'not_id':
      return !holds(value, flow, request)
    case 'destination_ip':
      return isIn(flow.destination, value)
    case 'direct_remote_ip':
      return isIn(flow.source, value)
    case 'destination_port':
      return flow.port === value
    case 'destination_port_range':
      return Number(at(value, 'start')) <= flow.port && flow.port < Number(at(value, 'end'))
    case 'header':
      return matchesHeader(value, request)
    default:
      throw new Error(`unknown term ${kind}`)
  }
}

function matchesHeader(matcher: Json, { method, path, host, headers }: HttpRequest): boolean {
  const name = String(at(matcher, 'name'))
  const all: Readonly<Record<string, string>> = { ...headers, ':method': method, ':path': path, ':authority': host }
  const value = all[name]
  if (value === undefined) return false
  const fields = objectOf(matcher)
  if (fields['present_match'] === true) return true
  const match = objectOf(fields['string_match'] ?? null)
  if (typeof match['exact'] === 'string') return value === match['exact']
  return new RegExp(parseRe2(String(at(match['safe_regex'] ?? null, 'regex'))).javascript, 'u').test(value)
}

function isIn(address: string, range: Json): boolean {
  const start = String(at(range, 'address_prefix'))
  if (isIPv4(address) !== isIPv4(start)) return false
  const family = isIPv4(start) ? 'ipv4' : 'ipv6'
  const list = new BlockList()
  list.addSubnet(start, Number(at(range, 'prefix_len')), family)
  return list.check(address, family)
}

function objectOf(value: Json): { readonly [name: string]: Json } {
  if (typeof value !== 'object' || value === null || isList(value))
    throw new Error(`no mapping: ${JSON.stringify(value)}`)
  return value
}

function listOf(value: Json): readonly Json[] {
  if (!isList(value)) throw new Error(`no list: ${JSON.stringify(value)}`)
  return value
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

function at(value: Json, name: string): Json {
  const found = objectOf(value)[name]
  if (found === undefined) throw new Error(`no ${name} in ${JSON.stringify(value)}`)
  return found
}
