import * as v from 'valibot'
import { groupEntries, PolicyStore } from '../policy/policy-store.ts'
import { ebpfPaths } from './paths.ts'

const groupSchema = v.object({
  ...groupEntries,
  /** The data path's number of a rule is this and the rule's own number. */
  ruleOffset: v.number(),
  rules: v.number(),
})
/** A workload's pods and the policies that they are under, with the numbers of their rules. */
export type EbpfGroup = v.InferOutput<typeof groupSchema>

export const ebpfGroups = new PolicyStore<EbpfGroup>({
  directoryOf: (run) => ebpfPaths(run).policies,
  schema: groupSchema,
})

/** Where a group of so many rules has room among the others. */
export function freeRuleOffset(groups: readonly EbpfGroup[], rules: number): number {
  let offset = 0
  for (const group of groups.toSorted((a, b) => a.ruleOffset - b.ruleOffset)) {
    if (offset + rules <= group.ruleOffset) return offset
    offset = group.ruleOffset + group.rules
  }
  return offset
}
