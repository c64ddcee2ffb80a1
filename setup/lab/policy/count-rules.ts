import type { Policy, Rule } from './policy.ts'

/** Rules as people count them: each peer with each port, in either direction. The same policy has the same number however it is enforced. */
export function countRules(policies: readonly Policy[]): number {
  return policies
    .flatMap(({ specs }) => specs)
    .flatMap(({ ingress, egress }) => [...ingress.rules, ...egress.rules])
    .reduce((sum, rule) => sum + peersOf(rule) * portsOf(rule), 0)
}

function peersOf({ peers }: Rule): number {
  return peers === 'any' ? 1 : peers.length
}

function portsOf({ ports }: Rule): number {
  return ports === 'any' ? 1 : ports.reduce((sum, list) => sum + list.ports.length, 0)
}
