import { chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { issueCertificate } from '../certificates.ts'
import { startDaemon } from '../daemon.ts'
import type { Daemon } from '../daemon.ts'
import type { Pod } from '../pod.ts'
import { PROXY_USER } from './binary.ts'
import { bootstrapConfig } from './bootstrap-config.ts'
import { untilServing } from './serving.ts'

export interface SidecarOptions {
  readonly runDir: string
  /** Directory of its pod; the proxy's own is made in it. */
  readonly podDir: string
  readonly pod: Pod
  /** Service account, the last part of its SPIFFE identity. */
  readonly account: string
  readonly envoy: string
  readonly cpus: string
  readonly inbound: boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * Starts one Envoy beside a pod and waits until it serves. One worker, no hot restart; its keys are in a directory that only its user enters.
 * @throws LabError with the last lines of its log when it ends or is not ready within 10 s.
 */
export async function startSidecar(options: SidecarOptions): Promise<Daemon> {
  const { runDir, podDir, pod, account, envoy, cpus, inbound, signal } = options
  const directory = proxyDirectory(podDir)
  mkdirSync(directory, { mode: 0o700 })
  const tls = await issueCertificate(runDir, directory, account, PROXY_USER)
  const config = join(directory, 'envoy.json')
  const name = `Envoy of pod ${pod.place}`
  writeFileSync(
    config,
    JSON.stringify(bootstrapConfig({ name: pod.place, adminSocket: adminSocket(podDir), tls, inbound })),
  )
  chownSync(directory, PROXY_USER, PROXY_USER)
  const daemon = startDaemon({
    name,
    pod,
    cpus,
    command: [envoy, '--config-path', config, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'warning'],
    env: {},
    cwd: '/',
    log: proxyLog(podDir),
    user: PROXY_USER,
  })
  await untilServing(daemon, adminSocket(podDir), signal)
  return daemon
}

/** The proxy's admin interface. */
export function adminSocket(podDir: string): string {
  return join(proxyDirectory(podDir), 'admin.sock')
}

export function proxyLog(podDir: string): string {
  return join(podDir, 'envoy.log')
}

function proxyDirectory(podDir: string): string {
  return join(podDir, 'proxy')
}
