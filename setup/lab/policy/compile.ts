import { createHash } from 'node:crypto'
import { numberCidrs } from './cidr-identities.ts'
import type { CidrIdentity } from './cidr-identities.ts'
import { compileL7 } from './compile-l7.ts'
import { compileSet } from './compile-set.ts'
import type { RuleNumbers } from './compile-set.ts'
import type { CompiledPolicy, EndpointSets, L7Guard, NumberedRule, PolicyEntry, PolicySet } from './compiled-policy.ts'
import { describeRule } from './describe-rule.ts'
import { identitiesOf } from './identities.ts'
import { labelsOf, matches } from './match-labels.ts'
import { idOf } from './parse.ts'
import type { Direction, Policy, PolicySpec, PortRule, Rule } from './policy.ts'
import type { Endpoint, World } from './world.ts'

/**
 * Policies for the pods that are there. `previous` are blocks that the data path knows for other policies: they keep
 * their numbers, and the sets are complete for them too.
 * @throws LabError when pods of one identity are not alike.
 */
export function compilePolicies(
  policies: readonly Policy[],
  world: World,
  { previous = [] }: { readonly previous?: readonly CidrIdentity[] } = {},
): CompiledPolicy {
  const cidrs = numberCidrs(policies, world, previous)
  const identities = identitiesOf(world, cidrs)
  const { rules, numbers } = numberRules(policies)
  const groups = new Map<string, Group>()
  const selected = new Set<string>()
  const defaultDeny: CompiledPolicy['defaultDeny'][number][] = []
  const specs = policies.flatMap((policy) => policy.specs.map((spec) => ({ spec, policy: idOf(policy) })))

  function setFor(endpoint: Endpoint, direction: Direction): string | null {
    const labels = labelsOf(endpoint)
    const own = specs.filter(({ spec }) => matches(spec.selector, labels))
    for (const { policy } of own) selected.add(policy)
    const denying = own.filter(({ spec }) => spec[direction].defaultDeny).map(({ policy }) => policy)
    if (denying.length > 0) defaultDeny.push({ endpoint: endpoint.id, direction, policies: [...new Set(denying)] })
    const applied = own.flatMap(({ spec }) => spec[direction].rules)
    if (denying.length === 0 && applied.every(onlyAllows)) return null
    const key = JSON.stringify([
      direction,
      own.map(({ spec }) => specs.findIndex((other) => other.spec === spec)),
      // The names of a pod's ports are its own.
      applied.some(namesPorts) ? endpoint.ports : null,
    ])
    const group = groups.get(key)
    if (group) {
      group.endpoints.push(endpoint)
      return group.set.name
    }
    const compiled = compileSet(applied, direction, denying.length > 0, { endpoint, world, identities, numbers })
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
    identities: cidrs.named,
    sets: [...new Map([...groups.values()].map(({ set }) => [set.name, set])).values()],
    endpoints,
    rules,
    l7: [...groups.values()].flatMap(guardOf),
    unselected: [...new Set(policies.map(idOf))].filter((id) => !selected.has(id)),
    defaultDeny,
  }
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
  const hash = createHash('sha256')
  for (const entry of entries) hash.update(`${Object.values(entry).join(' ')}\n`)
  return `${direction}-${hash.digest('hex').slice(0, 16)}`
}

function numberRules(policies: readonly Policy[]): { rules: NumberedRule[]; numbers: RuleNumbers } {
  const rules: NumberedRule[] = []
  const numbers = new Map<Rule | PortRule, number>()
  const add = (policy: Policy, rule: Rule, ports: PortRule | undefined, direction: Direction): void => {
    const number = rules.length + 1
    numbers.set(ports ?? rule, number)
    const { path } = ports ?? rule
    rules.push({ rule: number, policy: idOf(policy), path, description: describeRule(rule, ports, direction) })
  }
  const inDirection = (policy: Policy, spec: PolicySpec, direction: Direction): void => {
    for (const rule of spec[direction].rules) {
      if (rule.ports === 'any') add(policy, rule, undefined, direction)
      else for (const ports of rule.ports) add(policy, rule, ports, direction)
    }
  }
  for (const policy of policies) {
    for (const spec of policy.specs) {
      inDirection(policy, spec, 'ingress')
      inDirection(policy, spec, 'egress')
    }
  }
  return { rules, numbers }
}
