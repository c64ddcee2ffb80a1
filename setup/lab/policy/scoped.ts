import type { Policy } from './policy.ts'

/** Label of the pods that one workload's policies are put on; no manifest can carry it. */
export const SCOPE_LABEL = 'meshmark.io/policy-group'

/** The policy for pods of one group only: its selectors ask for the group's label as well. Peers are selected as before. */
export function scoped(policy: Policy, group: string): Policy {
  const requirement = { source: 'any', key: SCOPE_LABEL, operator: 'In', values: [group] } as const
  return {
    ...policy,
    specs: policy.specs.map((spec) => ({
      ...spec,
      selector: { requirements: [...spec.selector.requirements, requirement] },
    })),
  }
}
