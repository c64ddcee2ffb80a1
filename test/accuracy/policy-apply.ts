/**
 * How long a policy of 10,000 rules takes from its file to "applied": the lab's own enforcer and its own loader, in a network namespace of
 * their own, without the rest of a lab. Target: under 1 s. `npm run bench:policy-apply -- --runs 9 --rules 10000`
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { median } from '../../measure/statistics/quantile.ts'
import { prepareChange } from '../../setup/lab/ebpf/apply-policies.ts'
import { ebpfEnforcer } from '../../setup/lab/ebpf/enforcer.ts'
import { ebpfGroups } from '../../setup/lab/ebpf/policy-groups.ts'
import { endpointId } from '../../setup/lab/policy/endpoint-files.ts'
import type { EnforcedPolicy, PolicedPod } from '../../setup/lab/policy/enforcer.ts'
import { policiesIn } from '../../setup/lab/policy/read-policies.ts'
import { scaleManifest } from '../../setup/lab/policy/scale-policy.ts'
import { BarePolicyNode } from './bare-policy-node.ts'
import { numberOptions } from './options.ts'

const MOST_MS = 1000
const REPLICAS = 4
const PORT = 8080
/** Arms that stand beside the one of 10,000 rules in bench/policy-scale.bench.ts, which deploys all of them. */
const BESIDE = [1, 10, 100, 1000] as const
const { runs, rules } = numberOptions({ runs: 9, rules: 10_000 })
let missed = false

interface Situation {
  readonly what: string
  readonly beside: readonly number[]
  readonly replaces: boolean
}
const SITUATIONS: readonly Situation[] = [
  { what: 'alone', beside: [], replaces: false },
  { what: `beside ${BESIDE.join(', ')} rules`, beside: BESIDE, replaces: false },
  { what: `in place of ${rules} rules`, beside: [], replaces: true },
]

function shown(values: readonly number[]): string {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  return `${median([...values])
    .toFixed(0)
    .padStart(6)} ms  (${least.toFixed(0)} to ${most.toFixed(0)})`
}

function fileOf(folder: string, count: number, form: 'json' | 'yaml', replaced = false): string {
  const file = join(folder, `${replaced ? 'old' : 'new'}-${count}.${form}`)
  // Another port for the client: what is replaced has other entries.
  const target = { server: { app: 'http-echo' }, client: { app: 'client' }, port: replaced ? PORT + 1 : PORT }
  const manifest = scaleManifest(count, target)
  writeFileSync(
    file,
    form === 'json' ? JSON.stringify(manifest) : stringify(manifest, { aliasDuplicateObjects: false }),
  )
  return file
}

/** From the file to the last row in force, as the record has it (`appliedMs`). */
async function whole(node: BarePolicyNode, folder: string, form: 'json' | 'yaml', situation: Situation) {
  const pods = (arm: number): PolicedPod[] => node.pods.slice(arm * REPLICAS, (arm + 1) * REPLICAS)
  const standing: EnforcedPolicy[] = []
  for (const [arm, count] of situation.beside.entries()) {
    standing.push(await ebpfEnforcer.enforce(node.run, pods(arm + 1), fileOf(folder, count, 'json')))
  }
  const file = fileOf(folder, rules, form)
  const took: number[] = []
  for (let run = 0; run < runs; run++) {
    if (situation.replaces) await ebpfEnforcer.enforce(node.run, pods(0), fileOf(folder, rules, 'json', true))
    const enforced = await ebpfEnforcer.enforce(node.run, pods(0), file)
    took.push(enforced.appliedMs)
    await enforced.remove()
  }
  for (const policy of standing) await policy.remove()
  if (median([...took]) >= MOST_MS) missed = true
  console.log(`${form} ${situation.what.padEnd(32)} ${shown(took)}`)
}

/** Each part by itself, beside nothing. */
async function parts(node: BarePolicyNode, folder: string, form: 'json' | 'yaml'): Promise<void> {
  const file = fileOf(folder, rules, form)
  const took = new Map<string, number[]>()
  const timed = <Result>(what: string, act: () => Result): Result => {
    const startMs = performance.now()
    const result = act()
    took.set(what, [...(took.get(what) ?? []), performance.now() - startMs])
    return result
  }
  for (let run = 0; run < runs; run++) {
    const id = `part-${form}-${run}`
    const endpoints = node.pods.slice(0, REPLICAS).map(({ number }) => endpointId(number))
    const group = { id, file, endpoints, ruleOffset: 0, rules }
    ebpfGroups.remember(
      group,
      timed('read and parse', () => policiesIn(file)),
    )
    const { states } = timed('compile', () => prepareChange(node.run, ebpfGroups.list(node.run), [group]))
    const text = timed('to JSON', () => states.map((desired) => JSON.stringify(desired)).join(''))
    const startMs = performance.now()
    let inMapsMs = 0
    for (const desired of states) inMapsMs += await node.apply(desired)
    const sentMs = performance.now() - startMs
    took.set('sent, and answered', [...(took.get('sent, and answered') ?? []), sentMs])
    took.set('of that, into the maps', [...(took.get('of that, into the maps') ?? []), inMapsMs])
    if (run === 0) console.log(`${form}: ${(text.length / 1e6).toFixed(2)} MB to the loader`)
    await node.apply({ identities: [], sets: [], endpoints: [], proxy: null })
  }
  for (const [what, values] of took) console.log(`  ${what.padEnd(32)} ${shown(values)}`)
}

const folder = mkdtempSync(join(tmpdir(), 'meshmark-policy-apply-'))
try {
  mkdirSync(folder, { recursive: true })
  await using node = await BarePolicyNode.start(folder, REPLICAS * (BESIDE.length + 1))
  console.log(`${rules} rules, median of ${runs} (least to most); target: under ${MOST_MS} ms`)
  for (const form of ['json', 'yaml'] as const) {
    for (const situation of SITUATIONS) await whole(node, folder, form, situation)
  }
  for (const form of ['json', 'yaml'] as const) await parts(node, folder, form)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
if (missed) process.exitCode = 1
