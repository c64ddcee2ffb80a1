import { execa } from 'execa'
import { LabError } from './lab-error.ts'
import type { Leg } from './leg.ts'
import { markOfNamespace, namespacePath } from './namespaces.ts'
import { nodeNamespace } from './network.ts'
import type { Network } from './network.ts'
import type { Pod } from './pod.ts'
import { nodeRules } from './services.ts'

/** Link-local next hop of every pod, and one MAC for every node end, as Calico does: no pod needs to know the node. */
const NEXT_HOP = '169.254.1.1'
const NEXT_HOP6 = 'fe80::1'
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

/** Makes a network's node namespace a router with service addresses. The namespace exists already. */
export async function setUpRouter(runId: string, network: Network): Promise<void> {
  const node = nodeNamespace(runId, network)
  await applyRules(node, nodeRules())
  await Promise.all([ip(node, ['link set lo up']), setSysctls(node, ['net.ipv4.ip_forward=1', TIME_WAIT_SYSCTL])])
}

/** Marks that tell the node's proxy's packets apart, in the two lowest bits: to the proxy, and from it. */
export const PROXY_MARKS = { to: 1, from: 2, mask: 3 } as const
const PROXY_TABLE = 133

/**
 * Makes a network's node namespace one that forwards nothing itself. Packets that the data path marks for the node's proxy are
 * delivered to the node whatever their address is. Reverse path filtering is off: the proxy keeps its clients' addresses.
 */
export async function setUpProxyNode(runId: string, network: Network): Promise<void> {
  const node = nodeNamespace(runId, network)
  const mark = `fwmark ${PROXY_MARKS.to}/${PROXY_MARKS.mask} lookup ${PROXY_TABLE}`
  await setSysctls(node, [
    'net.ipv4.ip_forward=0',
    'net.ipv6.conf.all.forwarding=0',
    'net.ipv4.conf.all.rp_filter=0',
    'net.ipv4.conf.default.rp_filter=0',
  ])
  await ip(node, [
    'link set lo up',
    `rule add ${mark}`,
    `route add local 0.0.0.0/0 dev lo table ${PROXY_TABLE}`,
    `route add local ::/0 dev lo table ${PROXY_TABLE}`,
  ])
  // A rule without an address is of the family that `ip` is told.
  await ip(node, [`rule add ${mark}`], ['-6'])
}

/** Joins pods, whose namespaces exist already, to a network's node by veth pairs; the host never sees either end. */
export async function joinLegs(runId: string, network: Network, legs: readonly Leg[]): Promise<void> {
  await ip(
    nodeNamespace(runId, network),
    // Permanent neighbours: no ARP request ever falls into a measurement.
    legs.flatMap((leg) => {
      const device = leg.pod.place
      return [
        `link add ${device} address ${NODE_MAC} type veth peer name ${leg.device} address ${macOf(leg)} netns ${leg.pod.namespace}`,
        `link set ${device} addrgenmode none up`,
        ...addressesOf(leg).flatMap((address) => [
          `route add ${address} dev ${device}`,
          `neigh add ${address} lladdr ${macOf(leg)} dev ${device} nud permanent`,
        ]),
      ]
    }),
  )
  await Promise.all(
    legs.flatMap((leg) => [ip(leg.pod.namespace, linesInPod(leg)), setSysctls(leg.pod.namespace, POD_SYSCTLS)]),
  )
}

function linesInPod({ device, network, address, address6, only }: Leg): string[] {
  const prefixes =
    only || network.name === 'routed'
      ? ['default']
      : [
          ...[network.podPrefix, ...network.servicePrefixes].map((prefix) => `${prefix}.0.0/16`),
          ...(network.world === undefined ? [] : [network.world.prefix]),
        ]
  const prefixes6 = only
    ? ['::/0']
    : [`${network.podPrefix6}::/64`, ...(network.world === undefined ? [] : [network.world.prefix6])]
  return [
    'link set lo up',
    // No IPv6 link-local address on the veth: duplicate address detection and router solicitations are noise. ::1 stays.
    `link set ${device} addrgenmode none`,
    `addr add ${address}/32 dev ${device}`,
    `link set ${device} up`,
    ...prefixes.map((prefix) => `route add ${prefix} via ${NEXT_HOP} dev ${device} onlink src ${address}`),
    `neigh add ${NEXT_HOP} lladdr ${NODE_MAC} dev ${device} nud permanent`,
    ...(address6 === undefined
      ? []
      : [
          `addr add ${address6}/128 dev ${device} nodad`,
          `neigh add ${NEXT_HOP6} lladdr ${NODE_MAC} dev ${device} nud permanent`,
          ...prefixes6.map((prefix) => `route add ${prefix} via ${NEXT_HOP6} dev ${device} onlink src ${address6}`),
        ]),
  ]
}

function addressesOf({ address, address6 }: Leg): string[] {
  return address6 === undefined ? [address] : [address, address6]
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

async function ip(namespace: string, lines: readonly string[], options: readonly string[] = []): Promise<void> {
  const result = await execa('ip', [...options, '-n', namespace, '-batch', '-'], {
    input: `${lines.join('\n')}\n`,
    env: markOfNamespace(namespace),
    reject: false,
  })
  if (result.failed) throw failed(`ip -n ${namespace} -batch`, result.stderr || result.shortMessage || '')
}

function failed(what: string, found: string): LabError {
  return new LabError(`${what} failed: ${found.trim()}. \`npx meshmark doctor\` shows what this machine lacks.`)
}

/** A locally administered address made of the leg's IPv4 address. */
function macOf({ address }: Leg): string {
  const bytes = address.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'))
  return `02:00:${bytes.join(':')}`
}
