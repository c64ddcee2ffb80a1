import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { policiesIn } from '../policy/read-policies.ts'
import type { Policy } from '../policy/policy.ts'
import { writeWhole } from '../run-dir.ts'
import { ebpfPaths } from './paths.ts'

const groupSchema = v.object({
  id: v.string(),
  /** Absolute path of the policies. */
  file: v.string(),
  /** Endpoints that are under them, and no others. */
  endpoints: v.array(v.number()),
  /** The data path's number of a rule is this and the rule's own number. */
  ruleOffset: v.number(),
  rules: v.number(),
})
/** A workload's pods and the policies that they are under, as every process of the run knows them. */
export type PolicyGroup = v.InferOutput<typeof groupSchema>

export function writeGroup(run: { readonly dir: string }, group: PolicyGroup): void {
  mkdirSync(ebpfPaths(run).policies, { recursive: true })
  writeWhole(fileOf(run, group.id), JSON.stringify(group))
}

export function removeGroup(run: { readonly dir: string }, id: string): void {
  parsed.delete(id)
  rmSync(fileOf(run, id), { force: true })
}

export function listGroups(run: { readonly dir: string }): PolicyGroup[] {
  const { policies } = ebpfPaths(run)
  mkdirSync(policies, { recursive: true })
  return readdirSync(policies)
    .filter((name) => name.endsWith('.json'))
    .map((name) => v.parse(groupSchema, JSON.parse(readFileSync(join(policies, name), 'utf8'))))
    .toSorted((a, b) => a.ruleOffset - b.ruleOffset)
}

/** Where a group of so many rules has room among the others. */
export function freeRuleOffset(groups: readonly PolicyGroup[], rules: number): number {
  let offset = 0
  for (const group of groups) {
    if (offset + rules <= group.ruleOffset) return offset
    offset = group.ruleOffset + group.rules
  }
  return offset
}

const parsed = new Map<string, readonly Policy[]>()

/** The policies of a group, read once a process: the file may be changed while they are in force. */
export function policiesOf({ id, file }: PolicyGroup): readonly Policy[] {
  let policies = parsed.get(id)
  if (policies === undefined) {
    policies = policiesIn(file)
    parsed.set(id, policies)
  }
  return policies
}

/** For a group whose file has been read just now. */
export function rememberPolicies({ id }: PolicyGroup, policies: readonly Policy[]): void {
  parsed.set(id, policies)
}

function fileOf(run: { readonly dir: string }, id: string): string {
  return join(ebpfPaths(run).policies, `${id}.json`)
}
