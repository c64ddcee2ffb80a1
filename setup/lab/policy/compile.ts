import { createHash } from 'node:crypto'
import { numberCidrs } from './cidr-identities.ts'
import type { CidrIdentity } from './cidr-identities.ts'
import { compileL7 } from './compile-l7.ts'
import { compileSet } from './compile-set.ts'
import type { RuleNumbers } from './compile-set.ts'
import type { CompiledPolicy, EndpointSets, L7Guard, NumberedRule, PolicyEntry, PolicySet } from './compiled-policy.ts'
import { describeRule } from './describe-rule.ts'
import { identitiesOf } from './identities.ts'
import type { Identities } from './identities.ts'
import { labelsOf, matches } from './match-labels.ts'
import { idOf } from './parse.ts'
import type { Direction, Policy, PortRule, Rule } from './policy.ts'
import type { Endpoint, World } from './world.ts'

/**
 * Policies for the pods that are there.
 * @throws LabError when pods of one identity are not alike.
 */
export function compilePolicies(policies: readonly Policy[], world: World): CompiledPolicy {
  const cidrs = numberCidrs(policies, world, [])
  return compileFor(policies, world, identitiesOf(world, cidrs), cidrs.named)
}

/**
 * As compilePolicies, where everyone has an identity already: the sets are complete for all of these, whoever names them.
 * `known` are the blocks of addresses that the data path is to know with these policies.
 */
export function compileFor(
  policies: readonly Policy[],
  world: World,
  identities: Identities,
  known: readonly CidrIdentity[],
): CompiledPolicy {
  const numbers = numberRules(policies)
  const groups = new Map<string, Group>()
  const selected = new Set<string>()
  const defaultDeny: CompiledPolicy['defaultDeny'][number][] = []
  const specs = policies.flatMap((policy, index) =>
    policy.specs.map((spec, part) => ({ spec, policy: idOf(policy), key: `${index}.${part}` })),
  )
  const summaries = new Map<string, Summary>()

  function summaryOf(own: typeof specs, key: string, direction: Direction): Summary {
    const there = summaries.get(key)
    if (there) return there
    const rules = own.flatMap(({ spec }) => spec[direction].rules)
    const summary = { rules, onlyAllows: rules.every(onlyAllows), namesPorts: rules.some(namesPorts) }
    summaries.set(key, summary)
    return summary
  }

  function setFor(endpoint: Endpoint, direction: Direction): string | null {
    const labels = labelsOf(endpoint)
    const own = specs.filter(({ spec }) => matches(spec.selector, labels))
    for (const { policy } of own) selected.add(policy)
    const denying = own.filter(({ spec }) => spec[direction].defaultDeny).map(({ policy }) => policy)
    if (denying.length > 0) defaultDeny.push({ endpoint: endpoint.id, direction, policies: [...new Set(denying)] })
    const applied = `${direction} ${own.map(({ key }) => key).join(' ')}`
    const summary = summaryOf(own, applied, direction)
    if (denying.length === 0 && summary.onlyAllows) return null
    // The names of a pod's ports are its own.
    const key = summary.namesPorts ? `${applied} ${JSON.stringify(endpoint.ports)}` : applied
    const group = groups.get(key)
    if (group) {
      group.endpoints.push(endpoint)
      return group.set.name
    }
    const compiled = compileSet(summary.rules, direction, denying.length > 0, { endpoint, world, identities, numbers })
    const set = { name: nameOf(direction, compiled.entries), entries: compiled.entries }
    const ports = compileL7(compiled.entries, compiled.l7, direction, identities, world)
    groups.set(key, { direction, set, ports, endpoints: [endpoint] })
    return set.name
  }

  const endpoints: EndpointSets[] = world.endpoints.map((endpoint) => ({
    endpoint: endpoint.id,
    ingress: setFor(endpoint, 'ingress'),
    egress: setFor(endpoint, 'egress'),
  }))
  return {
    identities: known,
    sets: [...new Map([...groups.values()].map(({ set }) => [set.name, set])).values()],
    endpoints,
    rules: () => describeRules(policies),
    l7: [...groups.values()].flatMap(guardOf),
    unselected: [...new Set(policies.map(idOf))].filter((id) => !selected.has(id)),
    defaultDeny,
  }
}

/** The rules of some specs in one direction, looked through once for all pods that are under them. */
interface Summary {
  readonly rules: readonly Rule[]
  readonly onlyAllows: boolean
  readonly namesPorts: boolean
}

interface Group {
  readonly direction: Direction
  readonly set: PolicySet
  readonly ports: L7Guard['ports']
  readonly endpoints: Endpoint[]
}

function guardOf({ direction, ports, endpoints }: Group): L7Guard[] {
  if (ports.length === 0) return []
  return [
    {
      direction,
      endpoints: endpoints.map(({ id }) => id),
      addresses: endpoints.flatMap(({ addresses }) => addresses),
      ports,
    },
  ]
}

/** Without default deny, rules that only allow change nothing; HTTP rules do. */
function onlyAllows({ verdict, ports }: Rule): boolean {
  return verdict === 'allow' && (ports === 'any' || ports.every(({ http }) => http === undefined))
}

function namesPorts({ ports }: Rule): boolean {
  return ports !== 'any' && ports.some((list) => list.ports.some((range) => 'name' in range.ports))
}

function nameOf(direction: Direction, entries: readonly PolicyEntry[]): string {
  const text = entries
    .map(
      ({ identity, protocol, port, portBits, verdict, rule }) =>
        `${identity} ${protocol} ${port} ${portBits} ${verdict} ${rule}\n`,
    )
    .join('')
  return `${direction}-${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
}

function numberRules(policies: readonly Policy[]): RuleNumbers {
  const numbers = new Map<Rule | PortRule, number>()
  for (const { rule, ports } of rulesOf(policies)) numbers.set(ports ?? rule, numbers.size + 1)
  return numbers
}

function describeRules(policies: readonly Policy[]): NumberedRule[] {
  return [...rulesOf(policies)].map(({ policy, rule, ports, direction }, index) => ({
    rule: index + 1,
    policy: idOf(policy),
    path: (ports ?? rule).path,
    description: describeRule(rule, ports, direction),
  }))
}

/** What has a number of its own, in the numbers' order. */
function* rulesOf(
  policies: readonly Policy[],
): Generator<{ policy: Policy; rule: Rule; ports: PortRule | undefined; direction: Direction }> {
  for (const policy of policies) {
    for (const spec of policy.specs) {
      for (const direction of ['ingress', 'egress'] as const) {
        for (const rule of spec[direction].rules) {
          if (rule.ports === 'any') yield { policy, rule, ports: undefined, direction }
          else for (const ports of rule.ports) yield { policy, rule, ports, direction }
        }
      }
    }
  }
}
