/** The data path's real loader with pods' devices in a network namespace of its own, and what the lab's enforcer wants to know of a run. */
import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import * as v from 'valibot'
import { DatapathClient } from '../../probes/client/datapath-client.ts'
import type { DesiredPolicies } from '../../probes/client/datapath-protocol.ts'
import { cgroupRoot } from '../../setup/lab/cgroup.ts'
import { ebpfEndpoints } from '../../setup/lab/ebpf/endpoints.ts'
import { identityOf } from '../../setup/lab/ebpf/identities.ts'
import { findProbeProgram } from '../../setup/lab/ebpf/loader-binary.ts'
import { ebpfPaths } from '../../setup/lab/ebpf/paths.ts'
import { writeEbpfState } from '../../setup/lab/ebpf/state.ts'
import { identify } from '../../setup/lab/process-identity.ts'
import { endpointId } from '../../setup/lab/policy/endpoint-files.ts'
import type { PolicedPod } from '../../setup/lab/policy/enforcer.ts'
import type { RunState } from '../../setup/lab/run-state.ts'

const answerSchema = v.object({ milliseconds: v.number() })

export class BarePolicyNode implements AsyncDisposable {
  readonly run: RunState
  /** Of one workload, `http-echo`; nothing runs in them. */
  readonly pods: readonly PolicedPod[]
  readonly #namespace: string
  readonly #cgroup: string
  readonly #loader: ChildProcess
  readonly #client: DatapathClient

  private constructor(
    run: RunState,
    pods: readonly PolicedPod[],
    { namespace, cgroup }: { readonly namespace: string; readonly cgroup: string },
    loader: ChildProcess,
    client: DatapathClient,
  ) {
    this.run = run
    this.pods = pods
    this.#namespace = namespace
    this.#cgroup = cgroup
    this.#loader = loader
    this.#client = client
  }

  /** @throws when the loader does not start, with its own words on stderr */
  static async start(dir: string, podCount: number): Promise<BarePolicyNode> {
    const name = `mmpa-${process.pid}`
    const root = cgroupRoot()
    if (root === undefined) throw new Error('no cgroup2 file system is mounted')
    const cgroup = join(root, name)
    const run: RunState = { runId: name, root: dir, cpus: { client: '0', server: '0' }, dir }
    const { directory, socket } = ebpfPaths(run)
    mkdirSync(directory, { recursive: true })
    mkdirSync(cgroup)
    execFileSync('ip', ['netns', 'add', name])
    const loader = spawn(
      'nsenter',
      [`--net=/var/run/netns/${name}`, findProbeProgram('meshmark-datapath'), '--socket', socket, '--cgroup', cgroup],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const ended = once(loader, 'exit').then(([code]) => {
      throw new Error(`the loader ended with ${String(code)}`)
    })
    ended.catch(() => undefined)
    await Promise.race([once(createInterface({ input: loader.stdout }), 'line'), ended])
    const identity = identify(loader.pid ?? -1)
    if (identity === undefined) throw new Error('the loader has ended')
    writeEbpfState(run, { loader: identity, attach: 'tcx' })
    const client = await DatapathClient.connect(socket)
    const [first, ...pods] = podsOf(podCount)
    if (first === undefined) throw new Error('a node without pods')
    // The first is the client, whose labels the rules name.
    const node = new BarePolicyNode(run, pods, { namespace: name, cgroup }, loader, client)
    for (const pod of [first, ...pods]) await node.#add(pod)
    return node
  }

  /** @returns milliseconds that the loader took for it by its own clock, after it had read it */
  async apply(desired: DesiredPolicies): Promise<number> {
    return v.parse(answerSchema, await this.#client.request('policy.apply', desired)).milliseconds
  }

  async #add(pod: PolicedPod): Promise<void> {
    const { place, workload, labels, address, port } = pod
    const ports = [{ name: 'http', port }]
    const id = workload === 'client' ? endpointId('client') : endpointId(pod.number)
    execFileSync('ip', ['-n', this.#namespace, 'link', 'add', place, 'type', 'veth', 'peer', 'name', `${place}-pod`])
    const identity = identityOf(labels, ports)
    await this.#client.request('endpoint.add', { device: place, endpoint: id, identity, addresses: [address] })
    ebpfEndpoints.write(this.run, { id, place, workload, labels, addresses: [address], ports })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close()
    const exit = once(this.#loader, 'exit')
    this.#loader.kill('SIGTERM')
    await exit
    execFileSync('ip', ['netns', 'del', this.#namespace])
    rmdirSync(this.#cgroup)
  }
}

function podsOf(count: number): PolicedPod[] {
  return Array.from({ length: count + 1 }, (_, index) => ({
    number: index,
    place: index === 0 ? 'client' : `p${index}`,
    workload: index === 0 ? 'client' : 'http-echo',
    labels: { app: index === 0 ? 'client' : 'http-echo' },
    address: `10.245.1.${index + 1}`,
    address6: undefined,
    port: 8080,
  }))
}
