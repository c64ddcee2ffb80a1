/** A test as the reporter needs it, read from Vitest's TestCase: live or out of merged blob reports. */
import type { TestCase, TestModule } from 'vitest/node'

/** What a test ran and left behind. */
export interface MeasuredTest {
  /** The project's own name, without Vitest's suffix for benchmarks. */
  project: string
  spec: string
  name: string
  state: 'passed' | 'failed' | 'skipped' | 'pending'
  /** Number of the last attempt; 0 without retries. */
  lastAttempt: number
  artifacts: readonly unknown[]
  /** `task.meta.meshmark`, as it came. */
  meta: unknown
  /** Benchmarks of any kind that gave a result, plain functions included. */
  benchmarks: number
}

/** Vitest runs benchmarks in a sibling project, `istio (bench)` for `istio` and `bench` for one without a name. */
export const ownProjectName = (name: string): string => (name === 'bench' ? '' : name.replace(/ \(bench\)$/, ''))

/** Reads a TestCase. */
export function measuredTest(testCase: TestCase): MeasuredTest {
  const meta: object = testCase.meta()
  return {
    project: ownProjectName(testCase.project.name),
    spec: testCase.module.relativeModuleId,
    name: testCase.fullName,
    state: testCase.result().state,
    lastAttempt: testCase.diagnostic()?.retryCount ?? 0,
    artifacts: testCase.artifacts(),
    meta: 'meshmark' in meta ? meta.meshmark : undefined,
    benchmarks: testCase.benchmarks().length,
  }
}

/** Every test of the run, in the order in which they ran. */
export const measuredTests = (modules: readonly TestModule[]): MeasuredTest[] =>
  modules.flatMap((module) => [...module.children.allTests()].map(measuredTest))
