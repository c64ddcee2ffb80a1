import type { EnvironmentDescription } from '../../../measure/record.ts'
import type { Daemon } from '../daemon.ts'
import type { Pod } from '../pod.ts'
import type { RunState } from '../run-state.ts'

/** What a mesh puts beside a workload's pod. */
export interface AttachedMesh {
  /** Proxies beside the pods of the path, client side included: they count as `sidecar`. */
  readonly proxies: readonly Daemon[]
  readonly traits: Readonly<Record<string, string | number | boolean>>
}

export interface AttachOptions {
  readonly pod: Pod
  readonly podDir: string
  /** Name of the workload, its service account. */
  readonly workload: string
  readonly signal?: AbortSignal | undefined
}

/** One mesh of the lab: one file each, in the registry. */
export interface MeshStandIn {
  /** False for `baseline`, which is nobody's product. */
  readonly standIn: boolean
  /** First two bytes of its service addresses: what the client's redirect tells meshes apart by. */
  readonly servicePrefix: string
  /** Why the mesh can't serve an app on this port, if it can't. */
  refusesPort(port: number): string | undefined
  /** Starts what runs once per run; what `attach` needs to know of it is left on disk. */
  up(run: RunState): Promise<void>
  /** Puts the mesh into a new pod, before anything is sent there. */
  attach(run: RunState, options: AttachOptions): Promise<AttachedMesh>
  describe(run: RunState): EnvironmentDescription['meshes'][number]
}
