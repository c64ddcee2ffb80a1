/** Puts a run's record together. */
import { isDeepStrictEqual } from 'node:util'
import type { ComparisonArtifact } from '../measure/artifact.ts'
import { type EnvironmentDescription, type MeshmarkRecord, parseRecord, RECORD_SCHEMA } from '../measure/record.ts'
import { chartsOf } from './charts.ts'

/** What the reporter knows beside the artifacts. */
export interface RunContext {
  startedAt: number
  endedAt: number
  vitest: string
  gate: boolean
  reason: 'passed' | 'failed' | 'interrupted'
  problems: string[]
  /** For a run that left no artifact. */
  runId: string
  seed: string
  meshmark: string
}

const distinct = (values: readonly string[], fallback: string): string => [...new Set(values)].join('+') || fallback

function machineOf({ meshes: _meshes, cpuSets: _cpuSets, ...machine }: EnvironmentDescription): object {
  return machine
}

/**
 * One description of the environments of all workers: each knows the meshes of its own project. A mesh that was measured
 * on another machine (merged reports) says so, for its figures stand beside the first one's.
 */
export function mergedEnvironment(
  artifacts: readonly Pick<ComparisonArtifact, 'environment'>[],
): EnvironmentDescription | null {
  const [first, ...others] = artifacts.flatMap(({ environment }) => (environment === null ? [] : [environment]))
  if (first === undefined) return null
  const meshes = new Map(first.meshes.map((mesh) => [mesh.name, mesh]))
  for (const environment of others) {
    const elsewhere = isDeepStrictEqual(machineOf(environment), machineOf(first))
      ? []
      : [
          `measured on another machine: ${environment.cpus} CPUs (${environment.cpuModel}), kernel ${environment.kernel}`,
        ]
    for (const mesh of environment.meshes) {
      if (!meshes.has(mesh.name)) meshes.set(mesh.name, { ...mesh, notes: [...mesh.notes, ...elsewhere] })
    }
  }
  return { ...first, meshes: [...meshes.values()] }
}

/**
 * The record of a run, checked against its own schema.
 * @throws Error that names the first field that does not fit.
 */
export function buildRecord(artifacts: readonly ComparisonArtifact[], context: RunContext): MeshmarkRecord {
  return parseRecord({
    schema: RECORD_SCHEMA,
    run: {
      id: distinct(
        artifacts.map(({ runId }) => runId),
        context.runId,
      ),
      startedAt: new Date(context.startedAt).toISOString(),
      durationMs: context.endedAt - context.startedAt,
      seed: distinct(
        artifacts.map(({ seed }) => seed),
        context.seed,
      ),
      meshmark: distinct(
        artifacts.map(({ meshmark }) => meshmark),
        context.meshmark,
      ),
      vitest: context.vitest,
      gate: context.gate,
      reason: context.reason === 'passed' && context.problems.length > 0 ? 'failed' : context.reason,
      problems: context.problems,
    },
    environment: mergedEnvironment(artifacts),
    comparisons: artifacts.map(({ comparison }) => comparison),
    charts: chartsOf(artifacts.map(({ comparison }) => comparison)),
  } satisfies MeshmarkRecord)
}

/** When merged reports were measured: from the first comparison's start to the last one's end, ms since the epoch. */
export function measuredSpan(
  artifacts: readonly ComparisonArtifact[],
): { startedAt: number; endedAt: number } | undefined {
  const starts = artifacts.map(({ comparison }) => Date.parse(comparison.startedAt))
  const ends = artifacts.map(({ comparison }, at) => (starts[at] ?? 0) + comparison.stopped.measuredMs)
  return artifacts.length === 0 ? undefined : { startedAt: Math.min(...starts), endedAt: Math.max(...ends) }
}
