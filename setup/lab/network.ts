/**
 * The lab's networks. Each has a node namespace of its own, so that no arm pays for the rules or the programs of another's
 * data path; `client` and `stranger` are one pod each with a leg in every network that is up.
 */
import { namespaceName, namespacePath } from './namespaces.ts'
import type { Pod } from './pod.ts'

/** `routed` is plain routing; `ebpf` is meshmark's data path; the others are `routed` with a policy by netfilter. */
export type NetworkName = 'routed' | 'ebpf' | 'iptables-stateful' | 'iptables-stateless' | 'nftables-sets'

export interface Network {
  readonly name: NetworkName
  /** Place of its node, the last part of the namespace's name. */
  readonly node: string
  /** First two bytes of its pods' IPv4 addresses. */
  readonly podPrefix: string
  /** First 48 bits of its pods' IPv6 addresses; undefined where it has none. */
  readonly podPrefix6: string | undefined
  /** First two bytes of the service addresses that belong to it. */
  readonly servicePrefixes: readonly string[]
  /** What stands for the world behind it: documentation addresses (RFC 5737, RFC 3849), in no pod's range. */
  readonly world: { readonly prefix: string; readonly prefix6: string } | undefined
  /** The device of its legs in `client` and `stranger`; pods with one leg have it as eth0. */
  readonly device: string
}

const NETWORKS: Readonly<Record<NetworkName, Network>> = {
  routed: network('routed', 'node', 244, ['10.96', '10.97'], 'eth0'),
  ebpf: {
    ...network('ebpf', 'node-ebpf', 245, ['10.98'], 'eth1'),
    podPrefix6: 'fd00:10:245',
    world: { prefix: '203.0.113.0/24', prefix6: '2001:db8::/64' },
  },
  'iptables-stateful': network('iptables-stateful', 'node-ipt-stateful', 246, ['10.99'], 'eth2'),
  'iptables-stateless': network('iptables-stateless', 'node-ipt-stateless', 247, ['10.100'], 'eth3'),
  'nftables-sets': network('nftables-sets', 'node-nft-sets', 248, ['10.101'], 'eth4'),
}

export function networkOf(name: NetworkName): Network {
  return NETWORKS[name]
}

/** Address ranges of every network but `routed`: what the client pod must not track or redirect for a mesh that they don't belong to. */
export function otherRanges(): string[] {
  return Object.values(NETWORKS)
    .filter(({ name }) => name !== 'routed')
    .flatMap(({ podPrefix, servicePrefixes }) => [podPrefix, ...servicePrefixes])
    .map((prefix) => `${prefix}.0.0/16`)
}

/** The namespace of a network's node in a run. */
export function nodeNamespace(runId: string, { node }: Network): string {
  return namespaceName(runId, node)
}

/** The node itself as somewhere to run programs. */
export function nodePod(runId: string, network: Network): Pod {
  const namespace = nodeNamespace(runId, network)
  return { runId, place: network.node, namespace, netns: namespacePath(namespace) }
}

function network(
  name: NetworkName,
  node: string,
  second: number,
  servicePrefixes: readonly string[],
  device: string,
): Network {
  return { name, node, podPrefix: `10.${second}`, podPrefix6: undefined, world: undefined, servicePrefixes, device }
}
