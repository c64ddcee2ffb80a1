import type { RunState } from '../../run-state.ts'
import { endpointId } from '../endpoint-files.ts'
import type { Drop, PolicedPod } from '../enforcer.ts'
import { inNode } from './in-node.ts'
import type { NetfilterWay } from './state.ts'

/** From the counters of the rules that drop: the last one of a pod's chain is its default deny. */
export async function netfilterDrops(run: RunState, way: NetfilterWay, pods: readonly PolicedPod[]): Promise<Drop[]> {
  const isSets = way === 'nftables-sets'
  const text = isSets
    ? await inNode(run, way, ['nft', 'list', 'table', 'ip', 'meshmark_policy'])
    : await inNode(run, way, ['iptables-save', '-c', '-t', 'filter'])
  return pods.flatMap((pod) => {
    const id = endpointId(pod.number)
    const packets = (isSets ? droppedInSets(text, id) : droppedInChains(text, id)).reduce(
      (sum, count) => sum + count,
      0,
    )
    return packets === 0 ? [] : [{ pod: pod.place, reason: 'dropped by the packet filter', rule: null, packets }]
  })
}

function droppedInChains(text: string, id: number): number[] {
  return [
    ...text.matchAll(new RegExp(String.raw`^\[(\d+):\d+\] -A mm-(?:in|out)-${id}(?:-\d+)? .*-j DROP$`, 'gm')),
  ].map(([, packets]) => Number(packets))
}

function droppedInSets(text: string, id: number): number[] {
  return [...text.matchAll(new RegExp(String.raw`chain (?:in|out)_${id} \{[^}]*\}`, 'g'))].flatMap(([chain]) =>
    [...chain.matchAll(/counter packets (\d+) bytes \d+ drop/g)].map(([, packets]) => Number(packets)),
  )
}
