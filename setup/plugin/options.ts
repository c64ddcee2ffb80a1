/** The plugin's options: meshes with their budgets, and how strict the run is. */
import { randomBytes } from 'node:crypto'
import * as v from 'valibot'
import type { Budget } from '../../measure/record.ts'
import { parseBudget, type BudgetInput } from '../../measure/statistics/budget.ts'
import { assertLabMesh, type MeshName } from '../meshes.ts'

export interface MeshOptions {
  /** What an overhead of this mesh may be, by the name that specs ask for: `{ http: '900%' }`. */
  budgets?: Record<string, BudgetInput>
}

export interface MeshmarkOptions {
  /** Meshes to measure beside the baseline; default: all that the environment has. */
  meshes?: Partial<Record<MeshName, MeshOptions>>
  /** An inconclusive outcome fails the run; default: true where `CI` is set. */
  gate?: boolean
  /** Seed of every order and schedule; default: `MESHMARK_SEED`, else random. It is in the record. */
  seed?: string
  /** Where the record is written; default `meshmark-results`. */
  outputDir?: string
  lab?: {
    /** CPU lists (`'0'`, `'2-3'`) of the client's side and the servers' side; default: one CPU each. */
    cpus?: { client: string; server: string }
    /** Path of the Envoy to run; default: found on PATH or where set-up put it. */
    envoy?: string
  }
}

const optionsSchema = v.strictObject({
  meshes: v.optional(v.record(v.string(), v.strictObject({ budgets: v.optional(v.record(v.string(), v.unknown())) }))),
  gate: v.optional(v.boolean()),
  seed: v.optional(v.pipe(v.string(), v.nonEmpty())),
  outputDir: v.optional(v.pipe(v.string(), v.nonEmpty())),
  lab: v.optional(
    v.strictObject({
      cpus: v.optional(v.strictObject({ client: v.string(), server: v.string() })),
      envoy: v.optional(v.pipe(v.string(), v.nonEmpty())),
    }),
  ),
})

export interface ResolvedOptions {
  /** `baseline` first: every other one is measured against it. */
  readonly meshes: readonly string[]
  /** One for each mesh, and `versus` where there are two to be compared with each other. */
  readonly projects: readonly string[]
  readonly budgets: Record<string, Record<string, Budget>>
  readonly gate: boolean
  readonly seed: string
  readonly outputDir: string
  readonly lab: NonNullable<MeshmarkOptions['lab']>
}

/** @throws Error that names the option, what was given and what is understood */
export function resolveOptions(options: MeshmarkOptions, all: readonly string[]): ResolvedOptions {
  const parsed = v.safeParse(optionsSchema, options)
  if (!parsed.success) {
    const issue = parsed.issues[0]
    throw new Error(`meshmark(): option ${v.getDotPath(issue) ?? '(all)'}: ${issue.message}`)
  }
  const given = Object.entries(options.meshes ?? {})
  const budgets: Record<string, Record<string, Budget>> = {}
  for (const [mesh, meshOptions] of given) {
    assertLabMesh(mesh, 'meshmark({ meshes })')
    budgets[mesh] = {}
    for (const [name, budget] of Object.entries(meshOptions?.budgets ?? {})) {
      try {
        budgets[mesh][name] = parseBudget(budget)
      } catch (error) {
        throw new Error(`meshmark({ meshes: { ${mesh}: { budgets: { ${name} } } } }): ${String(error)}`, {
          cause: error,
        })
      }
    }
  }
  const wanted = options.meshes === undefined ? all : given.map(([mesh]) => mesh)
  const others = wanted.filter((mesh) => mesh !== 'baseline')
  return {
    meshes: ['baseline', ...others],
    projects: ['baseline', ...others, ...(others.length > 1 ? ['versus'] : [])],
    budgets,
    gate: options.gate ?? isSet(process.env['CI']),
    seed: options.seed ?? process.env['MESHMARK_SEED'] ?? randomBytes(4).toString('hex'),
    outputDir: options.outputDir ?? 'meshmark-results',
    lab: options.lab ?? {},
  }
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false'
}
