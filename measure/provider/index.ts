/** Vitest's benchmark provider, in the worker: loads are measured against each other, plain functions are tinybench's. */
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { inject, recordArtifact, type BenchmarkProvider } from 'vitest'
import { COMPARISON_ARTIFACT, type ComparisonArtifact } from '../artifact.ts'
import type { PluginContext, RunContext } from '../context.ts'
import { loadArmOf } from '../load-arm.ts'
import { packageRoot } from '../package-root.ts'
import type { ArmPolicy } from '../record.ts'
import { createBenchResult } from './bench-result.ts'
import { runFunctions } from './functions.ts'
import { liveEstimate } from './live-estimate.ts'
import { markResult, type Measured } from './measured.ts'
import { measureComparison } from './measure-comparison.ts'
import { rememberControl } from './control-file.ts'
import type { NamedArm } from './parity.ts'
import { createProgressFile } from './progress-file.ts'
import { recordComparison } from './record-comparison.ts'
import type { BenchmarkGroup, BenchResult } from './vitest-types.ts'

declare module 'vitest' {
  interface TestArtifactRegistry {
    [COMPARISON_ARTIFACT]: ComparisonArtifact
  }
}

export default { run } satisfies BenchmarkProvider

async function run(group: BenchmarkGroup): Promise<BenchResult[]> {
  const arms = group.registrations.flatMap((registration): NamedArm[] => {
    const arm = loadArmOf(registration.fn)
    return arm === undefined ? [] : [{ name: registration.name, ...arm }]
  })
  if (arms.length === 0) return await runFunctions(group)
  if (arms.length < group.registrations.length) {
    throw new Error(
      'Loads and plain functions stand in one comparison: a load is measured by request, a function by call. Compare them apart.',
    )
  }
  return await runLoads(group, arms)
}

async function runLoads(group: BenchmarkGroup, arms: readonly NamedArm[]): Promise<BenchResult[]> {
  const context: PluginContext = inject('meshmark')
  const runContext: RunContext = inject('meshmarkRun')
  const head = {
    id: randomUUID(),
    project: context.project,
    spec: relative(context.root, group.test.file.filepath),
    test: group.test.fullTestName,
    retry: group.test.result?.retryCount ?? 0,
    startedAt: new Date().toISOString(),
  }
  const seed = [context.seed, head.project, head.spec, head.test, head.retry].join('/')
  const report = createProgressFile(context.progressFile)
  const run = await measureComparison(arms, {
    agentCommand: [process.execPath, agentFile()],
    seed,
    signal: group.test.context.signal,
    onProgress: ({ phase, arm, measured }) =>
      report(() => ({
        project: head.project,
        spec: head.spec,
        test: head.test,
        phase,
        arms: [...measured.arms],
        currentArm: arm,
        block: measured.blocks.length,
        elapsedMs: measured.measuredMs,
        capMs: measured.plan.capMs,
        estimate: liveEstimate(measured),
      })),
  })
  const comparison = recordComparison({ ...head, ...run, policies: await policiesOf(arms) }, run.blocks, arms)
  const artifact: ComparisonArtifact = {
    type: COMPARISON_ARTIFACT,
    comparison,
    environment: arms[0]?.describe() ?? null,
    runId: runContext.runId,
    seed: context.seed,
    meshmark: context.version,
  }
  await recordArtifact(group.test, artifact)
  rememberControl(context.controlFile, comparison)
  const measured: Measured = { blocks: run.blocks, comparison, test: group.test }
  return arms.map((arm) => markResult(createBenchResult(arm.name, run.blocks.blocks), measured))
}

async function policiesOf(arms: readonly NamedArm[]): Promise<ReadonlyMap<string, ArmPolicy>> {
  const policies = new Map<string, ArmPolicy>()
  for (const arm of arms) if (arm.policy !== undefined) policies.set(arm.name, await arm.policy())
  return policies
}

/** The agent as built; from a source checkout, the source itself. */
function agentFile(): string {
  const built = join(packageRoot(), 'dist', 'agent.js')
  return existsSync(built) ? built : join(packageRoot(), 'measure', 'agent', 'main.ts')
}
