import { rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Target } from '../../measure/target.ts'
import { startDaemon } from './daemon.ts'
import type { Daemon } from './daemon.ts'
import { LabError } from './lab-error.ts'
import { workloadLeg, hostBytes } from './leg.ts'
import type { Leg } from './leg.ts'
import type { AttachedMesh, MeshStandIn } from './mesh/mesh.ts'
import { standInFor } from './mesh/registry.ts'
import type { Enforcement, LabMesh } from './mesh/registry.ts'
import { isUp } from './mesh/up-meshes.ts'
import { addNamespaces, deleteNamespaces, endProcesses } from './namespaces.ts'
import { networkOf, nodePod } from './network.ts'
import { fixedPod } from './pod.ts'
import type { Pod } from './pod.ts'
import { runInPod } from './pod-program.ts'
import { programEnvironment } from './program-environment.ts'
import { waitUntilListening } from './readiness.ts'
import { assertRunAlive } from './run-state.ts'
import type { RunState } from './run-state.ts'
import type { Service } from './services.ts'
import { settleAll } from './settle-all.ts'
import { allocatePod } from './pod-number.ts'
import { joinLegs } from './topology.ts'
import { usageReader } from './usage.ts'
import type { ComponentSource } from './usage.ts'
import type { ResolvedWorkload } from './workload/resolved-workload.ts'
import { resolveWorkload } from './workload/workload.ts'
import type { WorkloadSpec } from './workload/workload.ts'

/** How long an app may take until it listens. */
const READY_TIMEOUT_MS = 15_000

export interface DeployOptions {
  /** What enforces policies on this pod, where the mesh itself has no way: the pod is put into a network that has one. */
  readonly enforcement?: Enforcement | undefined
  readonly signal?: AbortSignal
  /** Until the app must listen; 15 s by default. */
  readonly readyTimeoutMs?: number
}

/** A workload that is up, until it is removed. */
export interface DeployedWorkload extends Target {
  /** Number and name of its pod in the run. */
  readonly pod: Pod
  readonly podNumber: number
  readonly labels: Readonly<Record<string, string>>
  /** Port of the app in its pod. */
  readonly podPort: number
  /** Addresses of its pod, beside the service's. */
  readonly podAddress: string
  readonly podAddress6: string | undefined
  /** Directory with the logs and sockets of its pod. */
  readonly podDir: string
  /** What its manifest asks for and the lab does without. */
  readonly notices: readonly string[]
  /** From now on its flows pass this proxy of the node: it counts, and its end is a failure of the path. */
  goesThrough(proxy: Daemon): void
  /** Ends its processes and takes its pod away. Synchronous; a second call does nothing. */
  remove(): void
}

/**
 * Starts a new pod for a workload, with the mesh beside it and a service address before it.
 * @throws LabError when the mesh isn't up, the spec is wrong, or a process ends or doesn't listen; nothing is left then.
 */
export async function deployWorkload(
  run: RunState,
  mesh: LabMesh,
  spec: WorkloadSpec,
  options: DeployOptions = {},
): Promise<DeployedWorkload> {
  options.signal?.throwIfAborted()
  assertRunAlive(run.dir)
  if (!isUp(run, mesh))
    throw new LabError(
      `The mesh "${mesh}" is not up in this run: bring it up (upMesh) before a workload is deployed to it.`,
    )
  const standIn = standInFor(mesh, options.enforcement)
  const workload = resolveWorkload(spec, run.root)
  const refused = standIn.refusesPort(workload.port)
  if (refused !== undefined)
    throw new LabError(
      `The workload ${workload.name} can't have port ${workload.port} in ${mesh}: ${refused}. Choose another.`,
    )

  // The lab's own network is up with the mesh; one that only an enforcement needs comes up with its first workload.
  if (options.enforcement !== undefined) await standIn.up(run)
  const network = networkOf(standIn.network)
  const { number, podDir } = allocatePod(run.dir)
  const leg = workloadLeg(run.runId, network, number)
  const service = serviceOf(standIn.servicePrefix, number, leg, workload)
  const undo = new Undo(run, standIn, leg.pod, podDir, service)
  try {
    await addNamespaces([leg.pod.namespace])
    await joinLegs(run.runId, network, [leg])
    const app = startApp(run, leg.pod, podDir, workload)
    const [attached] = await settleAll([
      standIn.attach(run, { leg, number, podDir, workload, signal: options.signal }),
      waitUntilListening(app, leg.pod, workload.port, {
        timeoutMs: options.readyTimeoutMs ?? READY_TIMEOUT_MS,
        signal: options.signal,
      }),
      standIn.publish(run, service),
    ])
    undo.attached = attached
    await standIn.enforcer?.refresh(run)
    options.signal?.throwIfAborted()
    const usage = usageReader(usageSources(app, leg.pod, attached))
    let sharedProxy: string | undefined
    const processes: Daemon[] = [app, ...attached.proxies, ...attached.watched]
    return {
      workload: workload.name,
      mesh,
      standIn: standIn.standIn,
      protocol: workload.protocol,
      host: service.address,
      port: service.port,
      sidecars: attached.proxies.length,
      kernel: attached.kernel,
      agentAlone: attached.proxies.length === 0,
      traits: {
        replicas: 1,
        'client cpus': run.cpus.client,
        'server cpus': run.cpus.server,
        'http protocol': workload.protocol,
        placement: 'one node',
        ...attached.traits,
      },
      pod: leg.pod,
      podNumber: number,
      labels: workload.labels,
      podPort: workload.port,
      podAddress: leg.address,
      podAddress6: leg.address6,
      podDir,
      notices: workload.notices,
      readCpu: usage.readCpu,
      readMemory: usage.readMemory,
      failure: () => firstEnded(processes),
      runInClient: (command) => runInPod(fixedPod(run.runId, 'client'), run.cpus.client, command),
      get places() {
        const client = `netns:${fixedPod(run.runId, 'client').netns}`
        const { clientProxy, serverProxy } = attached.places ?? {}
        return { client, clientProxy, serverProxy: serverProxy ?? sharedProxy, app: `netns:${leg.pod.netns}` }
      },
      goesThrough(proxy) {
        processes.push(proxy)
        sharedProxy = `netns:${nodePod(run.runId, network).netns}`
        usage.add({ component: 'shared proxy', pids: [proxy.pid] })
      },
      remove() {
        usage.close()
        undo.run()
      },
    }
  } catch (error) {
    undo.run()
    throw error
  }
}

function usageSources(app: Daemon, pod: Pod, attached: AttachedMesh): ComponentSource[] {
  const sources: ComponentSource[] = [{ component: 'app', pids: [app.pid], restOf: pod.namespace }]
  if (attached.proxies.length > 0)
    sources.push({ component: 'sidecar', pids: attached.proxies.map((proxy) => proxy.pid) })
  return sources
}

function startApp(run: RunState, pod: Pod, podDir: string, workload: ResolvedWorkload): Daemon {
  return startDaemon({
    name: workload.name,
    pod,
    cpus: run.cpus.server,
    command: workload.command,
    env: programEnvironment(workload.env),
    cwd: resolve(run.root, workload.cwd ?? '.'),
    log: join(podDir, 'app.log'),
  })
}

function serviceOf(prefix: string, number: number, leg: Leg, workload: ResolvedWorkload): Service {
  const { third, fourth } = hostBytes(number)
  return {
    address: `${prefix}.${third}.${fourth}`,
    port: workload.servicePort,
    podAddress: leg.address,
    podPort: workload.port,
  }
}

/** Takes away what a workload has so far, once. */
class Undo {
  attached: AttachedMesh | undefined
  readonly #run: RunState
  readonly #standIn: MeshStandIn
  readonly #pod: Pod
  readonly #podDir: string
  readonly #service: Service
  #done = false

  constructor(run: RunState, standIn: MeshStandIn, pod: Pod, podDir: string, service: Service) {
    this.#run = run
    this.#standIn = standIn
    this.#pod = pod
    this.#podDir = podDir
    this.#service = service
  }

  run(): void {
    if (this.#done) return
    this.#done = true
    this.#standIn.withdraw(this.#run, this.#service)
    this.attached?.detach?.()
    endProcesses([this.#pod.namespace], this.#pod)
    deleteNamespaces([this.#pod.namespace])
    rmSync(this.#podDir, { recursive: true, force: true })
  }
}

function firstEnded(processes: readonly Daemon[]): string | undefined {
  for (const process of processes) {
    const ended = process.ended()
    if (ended !== undefined) return ended
  }
  return undefined
}
