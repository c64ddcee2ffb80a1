import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { LabError } from '../lab-error.ts'
import type { PolicedPod } from './enforcer.ts'
import { labelsOf, matches } from './match-labels.ts'
import { idOf, parsePolicy, readPolicies } from './parse.ts'
import type { Policy } from './policy.ts'
import type { Endpoint } from './world.ts'

/**
 * Policies of a file that a workload is put under.
 * @throws LabError that names file and field, or the policy that selects none of the workload's pods: it would enforce nothing
 */
export function readPoliciesFor(root: string, file: string, pods: readonly PolicedPod[]): Policy[] {
  const path = resolve(root, file)
  const policies = policiesIn(path)
  if (policies.length === 0)
    throw new LabError(`${file} holds no policy: nothing would be enforced`, 'write one, or leave `policy` out.')
  const idle = policies.find((policy) => !pods.some((pod) => selectsPod(policy, pod)))
  if (idle !== undefined) {
    const labels = Object.entries(pods[0]?.labels ?? {}).map(([key, value]) => `${key}=${value}`)
    throw new LabError(
      `${file}: ${idOf(idle)} selects none of the pods of ${pods[0]?.workload ?? 'the workload'} (labels ${labels.join(', ') || 'none'}): it would enforce nothing`,
      "correct its selector, or the workload's labels. The lab puts a workload's policy on that workload's pods only.",
    )
  }
  return policies
}

/** JSON is YAML, too, but ten thousand rules are read in a moment as JSON. What is wrong is said with its place as YAML. */
export function policiesIn(path: string): Policy[] {
  if (!path.endsWith('.json')) return readPolicies(path)
  try {
    return [parsePolicy(JSON.parse(readFileSync(path, 'utf8')), path)]
  } catch {
    return readPolicies(path)
  }
}

function selectsPod(policy: Policy, pod: PolicedPod): boolean {
  const endpoint: Endpoint = {
    id: 1,
    name: pod.place,
    identity: 256,
    labels: pod.labels,
    addresses: [],
    ports: [],
  }
  return policy.specs.some((spec) => matches(spec.selector, labelsOf(endpoint)))
}
