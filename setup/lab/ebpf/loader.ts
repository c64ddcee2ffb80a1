import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { DatapathClient } from '../../../probes/client/datapath-client.ts'
import { addRunCgroup } from '../cgroup.ts'
import { assertRunning, startDaemon } from '../daemon.ts'
import type { Daemon } from '../daemon.ts'
import { LabError } from '../lab-error.ts'
import { lastLines } from '../log-tail.ts'
import { networkOf, nodePod } from '../network.ts'
import type { RunState } from '../run-state.ts'
import { findProbeProgram } from './loader-binary.ts'
import { ebpfPaths } from './paths.ts'

/** The verifier takes some ten ms a program; emulated kernels take longer. */
const READY_TIMEOUT_MS = 30_000
const POLL_MS = 5

/**
 * Starts the loader of the data path in the node's namespace and waits until it answers: all programs are loaded then.
 * @throws LabError with its last lines: the verifier's own where a program was refused
 */
export async function startLoader(run: RunState): Promise<Daemon> {
  const paths = ebpfPaths(run)
  const daemon = startDaemon({
    name: "the data path's loader",
    pod: nodePod(run.runId, networkOf('ebpf')),
    cpus: run.cpus.server,
    command: [findProbeProgram('meshmark-datapath'), '--socket', paths.socket, '--cgroup', addRunCgroup(run.runId)],
    env: {},
    cwd: '/',
    log: paths.log,
  })
  const deadline = performance.now() + READY_TIMEOUT_MS
  while (!existsSync(paths.socket)) {
    await assertRunning(daemon)
    if (performance.now() > deadline) {
      throw new LabError(
        `The data path's loader was not ready after ${READY_TIMEOUT_MS / 1000} s; its last lines: ${lastLines(daemon.log)}`,
      )
    }
    await sleep(POLL_MS)
  }
  return daemon
}

const clients = new Map<string, Promise<DatapathClient>>()

/** This process's connection to the loader. @throws DatapathError when it does not answer */
export function datapathClient(run: { readonly dir: string }): Promise<DatapathClient> {
  const { socket } = ebpfPaths(run)
  let client = clients.get(socket)
  if (client === undefined) {
    client = DatapathClient.connect(socket)
    clients.set(socket, client)
    client.catch(() => clients.delete(socket))
  }
  return client
}
