import { namespaceName, namespacePath } from './namespaces.ts'

/** A pod of the lab: a network namespace with one address, routed by the node's namespace. */
export interface Pod {
  readonly runId: string
  /** `client`, `stranger`, `p7`; also the name of the node's end of its veth. */
  readonly place: string
  readonly namespace: string
  readonly netns: string
  readonly address: string
}

/** The pods that every run starts, with the last byte of their address. */
const FIXED = { client: 2, stranger: 3 } as const
export type FixedPod = keyof typeof FIXED

export function fixedPod(runId: string, place: FixedPod): Pod {
  return pod(runId, place, `10.244.0.${FIXED[place]}`)
}

/** Pod of the `number`-th workload of a run. Numbers are never used twice in a run, so neither are addresses: no stale connection tracking meets a new pod. */
export function workloadPod(runId: string, number: number): Pod {
  const { third, fourth } = hostBytes(number)
  return pod(runId, `p${number}`, `10.244.${third + 1}.${fourth}`)
}

/** The two host bytes of the `number`-th address in a /16, without .0, .1 and .255. */
export function hostBytes(number: number): { third: number; fourth: number } {
  return { third: Math.floor(number / 250), fourth: 2 + (number % 250) }
}

function pod(runId: string, place: string, address: string): Pod {
  const namespace = namespaceName(runId, place)
  return { runId, place, namespace, netns: namespacePath(namespace), address }
}
