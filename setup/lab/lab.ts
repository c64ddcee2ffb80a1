import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { EnvironmentDescription } from '../../measure/record.ts'
import type { PodProcess } from '../../measure/target.ts'
import { deployWorkload } from './deploy.ts'
import type { DeployedWorkload, DeployOptions } from './deploy.ts'
import { describeLab } from './describe.ts'
import type { Flow, FlowResult } from './flow/flow.ts'
import { tryFlows } from './flow/try-flows.ts'
import { LabError } from './lab-error.ts'
import { standInFor } from './mesh/registry.ts'
import type { Enforcement, LabMesh } from './mesh/registry.ts'
import { fixedPod } from './pod.ts'
import type { FixedPod } from './pod.ts'
import { runInPod } from './pod-program.ts'
import type { PodProgramOptions } from './pod-program.ts'
import type { EnforcedPolicy } from './policy/enforcer.ts'
import { writeWhole } from './run-dir.ts'
import { readRunState } from './run-state.ts'
import type { WorkloadSpec } from './workload/workload.ts'

/** A lab that another process brought up, seen from a worker. */
export interface Lab {
  readonly runId: string
  describe(): EnvironmentDescription
  deploy(mesh: LabMesh, spec: WorkloadSpec, options?: DeployOptions): Promise<DeployedWorkload>
  /**
   * Puts these pods of one mesh, and only these, under the policies of a file.
   * @throws LabError that names file and field of what can't be enforced, or the mesh that enforces nothing
   */
  enforce(
    mesh: LabMesh,
    pods: readonly DeployedWorkload[],
    file: string,
    enforcement?: Enforcement,
  ): Promise<EnforcedPolicy>
  /** Keeps a manifest as a file of the run, for `enforce`. */
  policyFile(manifest: object): string
  /** Takes away what pods were under that are no more. */
  refreshPolicies(mesh: LabMesh, enforcement?: Enforcement): Promise<void>
  /** Tries flows from a pod. */
  tryFlows(from: FixedPod, flows: readonly Flow[]): Promise<FlowResult[]>
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
    async enforce(mesh, pods, file, enforcement) {
      const { enforcer } = standInFor(mesh, enforcement)
      if (enforcer === undefined) {
        throw new LabError(
          `Nothing enforces policies on workloads of ${mesh} in the lab`,
          mesh === 'baseline'
            ? "say what should: { policy, enforcement: 'iptables-stateful' } (or iptables-stateless, nftables-sets)."
            : 'the lab enforces them in cilium, and for the baseline by netfilter.',
        )
      }
      const enforced = await enforcer.enforce(
        run,
        pods.map((pod) => ({
          number: pod.podNumber,
          place: pod.pod.place,
          workload: pod.workload,
          labels: pod.labels,
          address: pod.podAddress,
          address6: pod.podAddress6,
          port: pod.podPort,
        })),
        file,
      )
      for (const pod of pods) if (enforced.sharedProxy !== undefined) pod.goesThrough(enforced.sharedProxy)
      return enforced
    },
    async refreshPolicies(mesh, enforcement) {
      await standInFor(mesh, enforcement).enforcer?.refresh(run)
    },
    policyFile(manifest) {
      const text = JSON.stringify(manifest)
      const directory = join(run.dir, 'policies')
      const file = join(directory, `${createHash('sha256').update(text).digest('hex').slice(0, 16)}.json`)
      mkdirSync(directory, { recursive: true })
      writeWhole(file, text)
      return file
    },
    tryFlows: (from, flows) => tryFlows(fixedPod(run.runId, from), run.cpus.client, flows),
    pod: (name) => ({
      run: (command, options) => runInPod(fixedPod(run.runId, name), run.cpus.client, command, options),
    }),
  }
}
