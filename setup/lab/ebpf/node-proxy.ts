import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { assertRunning, knownDaemon, startDaemon } from '../daemon.ts'
import type { Daemon } from '../daemon.ts'
import { askAdmin } from '../envoy/admin.ts'
import { findEnvoy, PROXY_USER } from '../envoy/binary.ts'
import { NODE_PROXY_PORT, nodeProxyConfig, RBAC_FILTERS } from '../envoy/node-proxy-config.ts'
import { untilServing } from '../envoy/serving.ts'
import { LabError } from '../lab-error.ts'
import { lastLines } from '../log-tail.ts'
import { networkOf, nodePod } from '../network.ts'
import { isRunning } from '../process-identity.ts'
import type { envoyRbac } from '../policy/envoy-rbac.ts'
import { writeWhole } from '../run-dir.ts'
import type { RunState } from '../run-state.ts'
import { ebpfPaths } from './paths.ts'
import { readEbpfState, writeEbpfState } from './state.ts'

const RULES_TIMEOUT_MS = 5000
const POLL_MS = 5
/** Envoy quotes the whole of what it refuses. */
const MOST_WORDS = 600

/** The two RBAC filters of the node's proxy, as `envoyRbac` gives them. */
export type ProxyRules = ReturnType<typeof envoyRbac>

/** The data path's view of the node's proxy. */
export const NODE_PROXY = { address4: '127.0.0.1', address6: '::1', port: NODE_PROXY_PORT } as const

/**
 * The one Envoy of the eBPF network's node, with these rules: started with the first policy that needs it, and again with the next one if it has
 * ended; until then the flows that it would judge are dropped.
 */
export async function nodeProxyWith(run: RunState, rules: ProxyRules): Promise<Daemon> {
  const known = runningProxy(run)
  const version = `${process.pid}-${performance.now()}`
  const changed = (['ingress', 'egress'] as const).filter((direction) => writeRules(run, direction, rules, version))
  const daemon = known === undefined ? await start(run) : knownDaemon("the node's Envoy", logOf(run), known)
  await untilInForce(run, daemon, version, changed.length)
  return daemon
}

/** Rules in force on a proxy that runs; nothing where none was needed yet, or it has ended. */
export async function updateNodeProxy(run: RunState, rules: ProxyRules): Promise<void> {
  if (runningProxy(run) !== undefined) await nodeProxyWith(run, rules)
}

export function nodeProxyAdmin(run: { readonly dir: string }): string {
  return join(directoryOf(run), 'admin.sock')
}

function runningProxy(run: RunState): { readonly pid: number; readonly startTicks: string } | undefined {
  const { proxy } = readEbpfState(run)
  return proxy !== undefined && isRunning(proxy) ? proxy : undefined
}

async function start(run: RunState): Promise<Daemon> {
  const envoy = await findEnvoy(run.envoy)
  const directory = directoryOf(run)
  const config = join(directory, 'envoy.json')
  writeFileSync(
    config,
    JSON.stringify(
      nodeProxyConfig({
        adminSocket: nodeProxyAdmin(run),
        rbacFiles: { ingress: rulesFile(run, 'ingress'), egress: rulesFile(run, 'egress') },
        watched: rulesDirectory(run),
      }),
    ),
  )
  chownSync(directory, PROXY_USER, PROXY_USER)
  const daemon = startDaemon({
    name: "the node's Envoy",
    pod: nodePod(run.runId, networkOf('ebpf')),
    cpus: run.cpus.server,
    command: [
      envoy.path,
      '--config-path',
      config,
      '--concurrency',
      '1',
      '--disable-hot-restart',
      '--log-level',
      'warning',
    ],
    env: {},
    cwd: '/',
    log: logOf(run),
    user: PROXY_USER,
    // For sockets with addresses that are not the node's (IP_TRANSPARENT) and for their mark (SO_MARK).
    capabilities: ['net_admin'],
  })
  await untilServing(daemon, nodeProxyAdmin(run))
  const { pid, startTicks } = daemon
  writeEbpfState(run, { ...readEbpfState(run), proxy: { pid, startTicks, version: envoy.version } })
  return daemon
}

/** False when these are the rules in force: Envoy takes no new version of what has not changed. */
function writeRules(run: RunState, direction: keyof typeof RBAC_FILTERS, rules: ProxyRules, version: string): boolean {
  const file = rulesFile(run, direction)
  const resources = JSON.stringify([
    {
      '@type': 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig',
      name: RBAC_FILTERS[direction],
      typed_config: rules[direction].typed_config,
    },
  ])
  if (existsSync(file) && readFileSync(file, 'utf8').endsWith(`"resources":${resources}}`)) return false
  mkdirSync(rulesDirectory(run), { recursive: true })
  writeWhole(file, `{"version_info":"${version}","resources":${resources}}`)
  return true
}

/** @throws LabError with Envoy's own words when it refuses the rules */
async function untilInForce(run: RunState, daemon: Daemon, version: string, changed: number): Promise<void> {
  const deadline = performance.now() + RULES_TIMEOUT_MS
  for (;;) {
    const dump = await askAdmin(nodeProxyAdmin(run), '/config_dump?resource=ecds_filters')
    const inForce = (dump?.body.split(`"version_info": "${version}"`).length ?? 1) - 1
    if (inForce >= changed) return
    await assertRunning(daemon)
    if (performance.now() > deadline) {
      throw new LabError(
        `${daemon.name} did not take the policy's L7 rules; its last words: ${lastLines(daemon.log).slice(-MOST_WORDS)}`,
      )
    }
    await sleep(POLL_MS)
  }
}

function directoryOf(run: { readonly dir: string }): string {
  return join(ebpfPaths(run).directory, 'proxy')
}

function rulesDirectory(run: { readonly dir: string }): string {
  return join(directoryOf(run), 'rules')
}

function rulesFile(run: { readonly dir: string }, direction: keyof typeof RBAC_FILTERS): string {
  return join(rulesDirectory(run), `${direction}.json`)
}

function logOf(run: { readonly dir: string }): string {
  return join(ebpfPaths(run).directory, 'proxy.log')
}
