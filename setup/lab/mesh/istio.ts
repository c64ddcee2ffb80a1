import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { createAuthority } from '../certificates.ts'
import { assertRunning, knownDaemon } from '../daemon.ts'
import type { Daemon } from '../daemon.ts'
import { findEnvoy, PROXY_USER } from '../envoy/binary.ts'
import { proxyLog, startSidecar } from '../envoy/sidecar.ts'
import { otherRanges } from '../network.ts'
import { fixedPod } from '../pod.ts'
import { INBOUND_PORT, isProxyPort, OUTBOUND_PORT } from '../proxy-ports.ts'
import { writeWhole } from '../run-dir.ts'
import type { RunState } from '../run-state.ts'
import { settleAll } from '../settle-all.ts'
import { routedServices } from '../services.ts'
import { applyPodRules } from '../topology.ts'
import { baseline } from './baseline.ts'
import type { MeshStandIn } from './mesh.ts'

const SERVICE_PREFIX = '10.97'

const stateSchema = v.object({
  envoy: v.object({ path: v.string(), version: v.string() }),
  client: v.object({ pid: v.number(), startTicks: v.string() }),
})

/** Stand-in for Istio's sidecar mode: one Envoy per pod, transparent redirect both ways, STRICT mutual TLS between the two. */
export const istio: MeshStandIn = {
  standIn: true,
  servicePrefix: SERVICE_PREFIX,
  network: 'routed',

  refusesPort: (port) => (isProxyPort(port) ? "ports 15000 to 15090 are the proxy's, as in Istio" : undefined),

  async up(run) {
    const pod = fixedPod(run.runId, 'client')
    const podDir = clientDirectory(run)
    mkdirSync(podDir, { recursive: true })
    const [envoy] = await Promise.all([findEnvoy(run.envoy), createAuthority(run.dir)])
    const [client] = await settleAll([
      startSidecar({
        runDir: run.dir,
        podDir,
        pod,
        account: 'client',
        envoy: envoy.path,
        cpus: run.cpus.client,
        inbound: false,
      }),
      applyPodRules(pod, redirectRules({ inbound: false })),
    ])
    writeWhole(stateFile(run), JSON.stringify({ envoy, client: { pid: client.pid, startTicks: client.startTicks } }))
  },

  ...routedServices,

  async attach(run, { leg: { pod }, podDir, workload, signal }) {
    const { envoy } = readState(run)
    const client = clientSidecar(run)
    await assertRunning(client)
    const [server] = await settleAll([
      startSidecar({
        runDir: run.dir,
        podDir,
        pod,
        account: workload.name,
        envoy: envoy.path,
        cpus: run.cpus.server,
        inbound: true,
        signal,
      }),
      applyPodRules(pod, redirectRules({ inbound: true })),
    ])
    return {
      proxies: [client, server],
      places: {
        clientProxy: `netns:${fixedPod(run.runId, 'client').netns}@${PROXY_USER}`,
        serverProxy: `netns:${pod.netns}@${PROXY_USER}`,
      },
      watched: [],
      traits: { 'proxy workers': 1, mTLS: 'STRICT' },
    }
  },

  describe: (run) => ({
    name: 'istio',
    standIn: true,
    dataPlane: `one Envoy ${readState(run).envoy.version} beside each pod, client and server; one worker each`,
    controlPlane: 'none: static configuration',
    mtls: true,
    notes: [
      'vanilla Envoy with the filters of Istio 1.31 (grpc_stats, fault, cors, router); without its stats filter, access log off as in the default profile',
    ],
  }),
}

/** The Envoy version in use, once `istio` is up. */
export function envoyVersion(run: RunState): string | null {
  return existsSync(stateFile(run)) ? readState(run).envoy.version : null
}

/** Directory of the client pod, where its proxy keeps its log and admin socket. */
export function clientDirectory(run: { readonly dir: string }): string {
  return join(run.dir, 'pods', 'client')
}

function clientSidecar(run: RunState): Daemon {
  return knownDaemon('Envoy of pod client', proxyLog(clientDirectory(run)), readState(run).client)
}

function stateFile(run: RunState): string {
  return join(run.dir, 'istio.json')
}

function readState(run: RunState): v.InferOutput<typeof stateSchema> {
  return v.parse(stateSchema, JSON.parse(readFileSync(stateFile(run), 'utf8')))
}

/**
 * What istio-init does with iptables, by nftables: the same netfilter hooks (nat OUTPUT and PREROUTING, REDIRECT, the
 * proxy's own user excluded), in one transaction and without another package. `redirect` in OUTPUT goes to 127.0.0.1.
 * Inbound, every port is taken, so that nothing in the pod is reached around STRICT mutual TLS.
 *
 * A nat chain wakes connection tracking for its whole namespace. Services of other meshes are reached from the same client
 * pod and must not pay for a mesh that they don't use: their packets are left untracked.
 */
function redirectRules({ inbound }: { inbound: boolean }): string {
  const untracked = `{ ${[`${baseline.servicePrefix}.0.0/16`, ...otherRanges()].join(', ')} }`
  return `table ip meshmark {
  chain untracked_output {
    type filter hook output priority raw; policy accept;
    ip daddr ${untracked} notrack
  }
  chain untracked_prerouting {
    type filter hook prerouting priority raw; policy accept;
    ip saddr ${untracked} notrack
  }
  chain output {
    type nat hook output priority -100; policy accept;
    meta skuid ${PROXY_USER} return
    ip daddr ${SERVICE_PREFIX}.0.0/16 meta l4proto tcp redirect to :${OUTBOUND_PORT}
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    ${inbound ? `iifname "eth0" meta l4proto tcp redirect to :${INBOUND_PORT}` : ''}
  }
}
`
}
