import { execa } from 'execa'
import { LabError } from './lab-error.ts'
import { markOfNamespace, namespaceName, namespacePath } from './namespaces.ts'
import type { Pod } from './pod.ts'
import { nodeRules } from './services.ts'

/** Link-local next hop of every pod, and one MAC for every node end, as Calico does: no pod needs to know the node. */
const NEXT_HOP = '169.254.1.1'
const NODE_MAC = 'ee:ee:ee:ee:ee:ee'

/**
 * "A new connection per request" opens thousands of connections a second. Client ports: nearly all 64k, reused 1 s
 * after they were closed (tcp_tw_reuse, ip-sysctl.rst). Connection tracking forgets closed ones after 5 s instead of
 * 120 (nf_conntrack-sysctl.rst). Ports 15000 to 15090 stay free for the proxy.
 */
const POD_SYSCTLS = [
  'net.ipv4.ip_local_port_range=1024 65535',
  'net.ipv4.ip_local_reserved_ports=15000-15090',
  'net.ipv4.tcp_tw_reuse=1',
]
const TIME_WAIT_SYSCTL = 'net.netfilter.nf_conntrack_tcp_timeout_time_wait=5'

/** Makes the node's namespace a router with service addresses. The namespace exists already. */
export async function setUpNode(runId: string): Promise<void> {
  const node = namespaceName(runId, 'node')
  await applyRules(node, nodeRules())
  await Promise.all([ip(node, ['link set lo up']), setSysctls(node, ['net.ipv4.ip_forward=1', TIME_WAIT_SYSCTL])])
}

/** Joins pods, whose namespaces exist already, to the node by routed veth pairs; the host never sees either end. */
export async function joinPods(runId: string, pods: readonly Pod[]): Promise<void> {
  await ip(
    namespaceName(runId, 'node'),
    // Permanent neighbours: no ARP request ever falls into a measurement.
    pods.flatMap((pod) => [
      `link add ${pod.place} address ${NODE_MAC} type veth peer name eth0 address ${macOf(pod)} netns ${pod.namespace}`,
      `link set ${pod.place} addrgenmode none up`,
      `route add ${pod.address}/32 dev ${pod.place}`,
      `neigh add ${pod.address} lladdr ${macOf(pod)} dev ${pod.place} nud permanent`,
    ]),
  )
  await Promise.all(
    pods.flatMap((pod) => [
      ip(pod.namespace, [
        'link set lo up',
        // No IPv6 link-local address on the veth: duplicate address detection and router solicitations are noise. ::1 stays.
        'link set eth0 addrgenmode none',
        `addr add ${pod.address}/32 dev eth0`,
        'link set eth0 up',
        `route add ${NEXT_HOP} dev eth0 scope link`,
        `route add default via ${NEXT_HOP} dev eth0`,
        `neigh add ${NEXT_HOP} lladdr ${NODE_MAC} dev eth0 nud permanent`,
      ]),
      setSysctls(pod.namespace, POD_SYSCTLS),
    ]),
  )
}

/** Applies an nftables file in one transaction, in one namespace; connection tracking that it wakes there forgets quickly. */
export async function applyPodRules(pod: Pod, rules: string): Promise<void> {
  await applyRules(pod.namespace, rules)
  await setSysctls(pod.namespace, [TIME_WAIT_SYSCTL])
}

async function applyRules(namespace: string, rules: string): Promise<void> {
  await inNamespace(namespace, ['nft', '-f', '-'], rules)
}

async function setSysctls(namespace: string, settings: readonly string[]): Promise<void> {
  await inNamespace(namespace, ['sysctl', '-q', '-w', ...settings])
}

async function inNamespace(namespace: string, command: readonly string[], input = ''): Promise<void> {
  const result = await execa('nsenter', [`--net=${namespacePath(namespace)}`, '--', ...command], {
    input,
    env: markOfNamespace(namespace),
    reject: false,
  })
  if (result.failed) throw failed(`${command.join(' ')} in ${namespace}`, result.stderr || result.shortMessage || '')
}

async function ip(namespace: string, lines: readonly string[]): Promise<void> {
  const result = await execa('ip', ['-n', namespace, '-batch', '-'], {
    input: `${lines.join('\n')}\n`,
    env: markOfNamespace(namespace),
    reject: false,
  })
  if (result.failed) throw failed(`ip -n ${namespace} -batch`, result.stderr || result.shortMessage || '')
}

function failed(what: string, found: string): LabError {
  return new LabError(`${what} failed: ${found.trim()}. \`npx meshmark doctor\` shows what this machine lacks.`)
}

/** A locally administered address made of the pod's IPv4 address. */
function macOf(pod: Pod): string {
  const bytes = pod.address.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'))
  return `02:00:${bytes.join(':')}`
}
