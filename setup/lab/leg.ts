import type { Network } from './network.ts'
import { fixedPod, workloadPod } from './pod.ts'
import type { Pod } from './pod.ts'

/** A pod's veth pair into one network, with its addresses there. The node's end is named after the pod. */
export interface Leg {
  readonly pod: Pod
  readonly network: Network
  /** In the pod. */
  readonly device: string
  readonly address: string
  readonly address6: string | undefined
  /** The pod has no other network: everything leaves by this leg. */
  readonly only: boolean
}

/** Last byte of the addresses of the pods that every run starts. */
const FIXED = { client: 2, stranger: 3 } as const

/** In the network's `world`. */
const OUTSIDE = { address: '203.0.113.2', address6: '2001:db8::2' } as const

export function clientLeg(runId: string, network: Network, place: keyof typeof FIXED = 'client'): Leg {
  return {
    pod: fixedPod(runId, place),
    network,
    device: network.device,
    ...addresses(network, 0, FIXED[place]),
    only: false,
  }
}

export function outsideLeg(runId: string, network: Network): Leg {
  return { pod: fixedPod(runId, 'outside'), network, device: 'eth0', ...OUTSIDE, only: true }
}

export function workloadLeg(runId: string, network: Network, number: number): Leg {
  const { third, fourth } = hostBytes(number)
  return {
    pod: workloadPod(runId, number),
    network,
    device: 'eth0',
    ...addresses(network, third + 1, fourth),
    only: true,
  }
}

/** IPv4 first. */
export function addressesOf({ address, address6 }: Leg): string[] {
  return address6 === undefined ? [address] : [address, address6]
}

/** The two host bytes of the `number`-th address in a /16, without .0, .1 and .255. */
export function hostBytes(number: number): { third: number; fourth: number } {
  return { third: Math.floor(number / 250), fourth: 2 + (number % 250) }
}

function addresses(
  { podPrefix, podPrefix6 }: Network,
  third: number,
  fourth: number,
): { address: string; address6: string | undefined } {
  return {
    address: `${podPrefix}.${third}.${fourth}`,
    address6: podPrefix6 === undefined ? undefined : `${podPrefix6}::${third.toString(16)}:${fourth.toString(16)}`,
  }
}
