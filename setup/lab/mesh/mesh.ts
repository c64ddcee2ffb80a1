import type { EnvironmentDescription } from '../../../measure/record.ts'
import type { KernelMeter, PathPlaces } from '../../../measure/target.ts'
import type { Daemon } from '../daemon.ts'
import type { Leg } from '../leg.ts'
import type { NetworkName } from '../network.ts'
import type { PolicyEnforcer } from '../policy/enforcer.ts'
import type { RunState } from '../run-state.ts'
import type { Service } from '../services.ts'
import type { ResolvedWorkload } from '../workload/resolved-workload.ts'

/** What a mesh puts beside a workload's pod. */
export interface AttachedMesh {
  /** Proxies beside the pods of the path, client side included: they count as `sidecar`. */
  readonly proxies: readonly Daemon[]
  /** Where these proxies are, for probes. */
  readonly places?: Pick<PathPlaces, 'clientProxy' | 'serverProxy'>
  /** Other processes that the path needs: their end is its failure, what they use is not counted. */
  readonly watched: readonly Daemon[]
  readonly traits: Readonly<Record<string, string | number | boolean>>
  /** The data path's own programs, where they run on no process's account. */
  readonly kernel?: KernelMeter | undefined
  /** Takes back what the kernel or a shared process holds for this pod. Synchronous, as the pod's own removal. */
  detach?(): void
}

export interface AttachOptions {
  /** The pod's own leg: joined already, nothing was sent yet. */
  readonly leg: Leg
  /** Of the pod in its run. */
  readonly number: number
  readonly podDir: string
  readonly workload: ResolvedWorkload
  readonly signal?: AbortSignal | undefined
}

/** One mesh of the lab: one file each, in the registry. */
export interface MeshStandIn {
  /** False for `baseline`, which is nobody's product. */
  readonly standIn: boolean
  /** Whose pods its workloads are. */
  readonly network: NetworkName
  /** First two bytes of its service addresses: what the client's redirect tells meshes apart by. */
  readonly servicePrefix: string
  /** Why the mesh can't serve an app on this port, if it can't. */
  refusesPort(port: number): string | undefined
  /** Starts what runs once per run; what `attach` needs to know of it is left on disk. */
  up(run: RunState): Promise<void>
  /** Puts the mesh into a new pod, before anything is sent there. */
  attach(run: RunState, options: AttachOptions): Promise<AttachedMesh>
  /** Gives a service its address. */
  publish(run: RunState, service: Service): Promise<void>
  /** Takes it back. Synchronous; a service that is gone already is no error. */
  withdraw(run: RunState, service: Service): void
  /** How policies are enforced on its pods; undefined where nothing enforces any. */
  readonly enforcer?: PolicyEnforcer
  describe(run: RunState): EnvironmentDescription['meshes'][number]
}
