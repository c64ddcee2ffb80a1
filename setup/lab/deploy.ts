import { rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Target } from '../../measure/target.ts'
import { startDaemon } from './daemon.ts'
import type { Daemon } from './daemon.ts'
import { LabError } from './lab-error.ts'
import { standInFor } from './mesh/registry.ts'
import type { LabMesh } from './mesh/registry.ts'
import { isUp } from './mesh/up-meshes.ts'
import { addNamespaces, deleteNamespaces, endProcesses } from './namespaces.ts'
import { fixedPod, hostBytes, workloadPod } from './pod.ts'
import type { Pod } from './pod.ts'
import { runInPod } from './pod-program.ts'
import { programEnvironment } from './program-environment.ts'
import { waitUntilListening } from './readiness.ts'
import { assertRunAlive } from './run-state.ts'
import type { RunState } from './run-state.ts'
import { addService, removeService } from './services.ts'
import type { Service } from './services.ts'
import { settleAll } from './settle-all.ts'
import { allocatePod } from './pod-number.ts'
import { joinPods } from './topology.ts'
import { usageReader } from './usage.ts'
import type { ResolvedWorkload } from './workload/resolved-workload.ts'
import { resolveWorkload } from './workload/workload.ts'
import type { WorkloadSpec } from './workload/workload.ts'

/** How long an app may take until it listens. */
const READY_TIMEOUT_MS = 15_000

export interface DeployOptions {
  readonly signal?: AbortSignal
  /** Until the app must listen; 15 s by default. */
  readonly readyTimeoutMs?: number
}

/** A workload that is up, until it is removed. */
export interface DeployedWorkload extends Target {
  /** Address of its pod, beside the service's. */
  readonly podAddress: string
  /** Directory with the logs and sockets of its pod. */
  readonly podDir: string
  /** What its manifest asks for and the lab does without. */
  readonly notices: readonly string[]
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
  const standIn = standInFor(mesh)
  const workload = resolveWorkload(spec, run.root)
  const refused = standIn.refusesPort(workload.port)
  if (refused !== undefined)
    throw new LabError(
      `The workload ${workload.name} can't have port ${workload.port} in ${mesh}: ${refused}. Choose another.`,
    )

  const { number, podDir } = allocatePod(run.dir)
  const pod = workloadPod(run.runId, number)
  const service = serviceOf(standIn.servicePrefix, number, pod, workload)
  const remove = remover(run, pod, podDir, service)
  try {
    await addNamespaces([pod.namespace])
    await joinPods(run.runId, [pod])
    const app = startApp(run, pod, podDir, workload)
    const [attached] = await settleAll([
      standIn.attach(run, { pod, podDir, workload: workload.name, signal: options.signal }),
      waitUntilListening(app, pod, workload.port, {
        timeoutMs: options.readyTimeoutMs ?? READY_TIMEOUT_MS,
        signal: options.signal,
      }),
      addService(run.runId, service),
    ])
    options.signal?.throwIfAborted()
    const usage = usageReader([
      { component: 'app', pids: [app.pid], restOf: pod.namespace },
      ...(attached.proxies.length > 0
        ? [{ component: 'sidecar' as const, pids: attached.proxies.map((proxy) => proxy.pid) }]
        : []),
    ])
    const processes: readonly Daemon[] = [app, ...attached.proxies]
    return {
      workload: workload.name,
      mesh,
      standIn: standIn.standIn,
      protocol: workload.protocol,
      host: service.address,
      port: service.port,
      sidecars: attached.proxies.length,
      agentAlone: attached.proxies.length === 0,
      traits: {
        replicas: 1,
        'client cpus': run.cpus.client,
        'server cpus': run.cpus.server,
        'http protocol': workload.protocol,
        placement: 'one node',
        ...attached.traits,
      },
      podAddress: pod.address,
      podDir,
      notices: workload.notices,
      readCpu: usage.readCpu,
      readMemory: usage.readMemory,
      failure: () => firstEnded(processes),
      runInClient: (command) => runInPod(fixedPod(run.runId, 'client'), run.cpus.client, command),
      remove() {
        usage.close()
        remove()
      },
    }
  } catch (error) {
    remove()
    throw error
  }
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

function serviceOf(prefix: string, number: number, pod: Pod, workload: ResolvedWorkload): Service {
  const { third, fourth } = hostBytes(number)
  return {
    address: `${prefix}.${third}.${fourth}`,
    port: workload.servicePort,
    podAddress: pod.address,
    podPort: workload.port,
  }
}

function remover(run: RunState, pod: Pod, podDir: string, service: Service): () => void {
  let removed = false
  return () => {
    if (removed) return
    removed = true
    removeService(run.runId, service)
    endProcesses([pod.namespace], pod)
    deleteNamespaces([pod.namespace])
    rmSync(podDir, { recursive: true, force: true })
  }
}

function firstEnded(processes: readonly Daemon[]): string | undefined {
  for (const process of processes) {
    const ended = process.ended()
    if (ended !== undefined) return ended
  }
  return undefined
}
