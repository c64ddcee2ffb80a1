import { resolve } from 'node:path'
import { resolveCpuSets } from './cpu-sets.ts'
import type { CpuSets } from './cpu-sets.ts'
import { LabError } from './lab-error.ts'
import { releaseMachineLock, takeMachineLock } from './machine-lock.ts'
import { standInFor } from './mesh/registry.ts'
import type { LabMesh } from './mesh/registry.ts'
import { markUp } from './mesh/up-meshes.ts'
import { clientLeg } from './leg.ts'
import { addNamespaces } from './namespaces.ts'
import { networkOf, nodeNamespace } from './network.ts'
import { newOwner } from './owner.ts'
import { reapDeadRuns, removeRun } from './reap.ts'
import { createRunDirectory } from './run-dir.ts'
import { writeRunState } from './run-state.ts'
import type { RunState } from './run-state.ts'
import { settleAll } from './settle-all.ts'
import { joinLegs, setUpRouter } from './topology.ts'

/** How long a run waits for another one that has the machine's lab. */
const WAIT_MS = 600_000

export interface LabOptions {
  /** CPU lists, as taskset takes them; by default one CPU for each side. */
  readonly cpus?: CpuSets
  /** Path of an Envoy; else MESHMARK_ENVOY, PATH, and where meshmark's set-up puts it. */
  readonly envoy?: string
  /** How long to wait for another run's lab; 10 minutes by default. */
  readonly waitMs?: number
  /** What the run is called, where its directory must be known before it is up (newRunId); made up by default. */
  readonly runId?: string
  /** The project: where workload names, manifests and commands are looked up. The working directory by default. */
  readonly root?: string
}

/** The lab as its owner holds it. */
export interface LabHandle {
  readonly runDir: string
  readonly runId: string
  /** Brings a mesh up beside the others; a second call for the same mesh gives the first one's promise. */
  upMesh(name: LabMesh): Promise<void>
  /** Takes everything away. Synchronous, idempotent, quick: safe in `exit` and signal handlers. */
  down(): void
}

/**
 * Brings the lab up: node and the pods `client` and `stranger`, no mesh yet. What dead runs left is removed first.
 * It is taken down when this process exits; a caller that handles signals must exit in the end. What a kill leaves, the next run removes.
 * @throws LabError without Linux, root or two CPUs, or when another run keeps the machine longer than `waitMs`; nothing is left then.
 */
export async function upLab(options: LabOptions, onNotice: (line: string) => void): Promise<LabHandle> {
  assertPlatform()
  const cpus = resolveCpuSets(options.cpus)
  const owner = newOwner(options.runId)
  await takeMachineLock(owner, options.waitMs ?? WAIT_MS, onNotice)
  const { runId } = owner
  let isDown = false
  const down = (): void => {
    if (isDown) return
    isDown = true
    process.off('exit', down)
    removeRun(runId)
    releaseMachineLock(owner)
  }
  process.on('exit', down)
  try {
    reapDeadRuns(onNotice)
    const run: RunState = {
      runId,
      dir: createRunDirectory(owner),
      root: resolve(options.root ?? process.cwd()),
      cpus,
      ...(options.envoy === undefined ? {} : { envoy: options.envoy }),
    }
    const routed = networkOf('routed')
    const legs = [clientLeg(runId, routed), clientLeg(runId, routed, 'stranger')]
    await addNamespaces([nodeNamespace(runId, routed), ...legs.map(({ pod }) => pod.namespace)])
    await settleAll([setUpRouter(runId, routed), joinLegs(runId, routed, legs)])
    writeRunState(run)
    return { runId, runDir: run.dir, upMesh: meshStarter(run), down }
  } catch (error) {
    down()
    throw error
  }
}

function meshStarter(run: RunState): (name: LabMesh) => Promise<void> {
  const started = new Map<LabMesh, Promise<void>>()
  return (name) => {
    let starting = started.get(name)
    if (!starting) {
      starting = standInFor(name)
        .up(run)
        .then(() => markUp(run, name))
      started.set(name, starting)
    }
    return starting
  }
}

function assertPlatform(): void {
  if (process.platform !== 'linux') {
    throw new LabError(
      `The lab needs Linux network namespaces and this is ${process.platform}: use a Linux VM, a CI runner or a privileged Linux container.`,
    )
  }
  if (process.geteuid?.() !== 0) {
    throw new LabError(
      `The lab needs root for network namespaces and this is uid ${process.geteuid?.() ?? 'unknown'}: start it with sudo, or on a CI runner that has it.`,
    )
  }
}
