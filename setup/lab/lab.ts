import type { EnvironmentDescription } from '../../measure/record.ts'
import type { PodProcess } from '../../measure/target.ts'
import { deployWorkload } from './deploy.ts'
import type { DeployedWorkload, DeployOptions } from './deploy.ts'
import { describeLab } from './describe.ts'
import type { LabMesh } from './mesh/registry.ts'
import { fixedPod } from './pod.ts'
import type { FixedPod } from './pod.ts'
import { runInPod } from './pod-program.ts'
import type { PodProgramOptions } from './pod-program.ts'
import { readRunState } from './run-state.ts'
import type { WorkloadSpec } from './workload/workload.ts'

/** A lab that another process brought up, seen from a worker. */
export interface Lab {
  readonly runId: string
  describe(): EnvironmentDescription
  deploy(mesh: LabMesh, spec: WorkloadSpec, options?: DeployOptions): Promise<DeployedWorkload>
  pod(name: FixedPod): { run(command: readonly string[], options?: PodProgramOptions): PodProcess }
}

/**
 * Opens the lab that is up in `runDir`.
 * @throws LabError when it isn't up, or its owner has ended.
 */
export function openLab(runDir: string): Lab {
  const run = readRunState(runDir)
  return {
    runId: run.runId,
    describe: () => describeLab(run),
    deploy: (mesh, spec, options) => deployWorkload(run, mesh, spec, options),
    pod: (name) => ({
      run: (command, options) => runInPod(fixedPod(run.runId, name), run.cpus.client, command, options),
    }),
  }
}
