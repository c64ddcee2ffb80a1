import { namespaceName, namespacePath } from './namespaces.ts'

/** A pod of the lab: a network namespace with a leg in one or more networks. */
export interface Pod {
  readonly runId: string
  /** `client`, `stranger`, `p7`; also the name of the node's end of its veths. */
  readonly place: string
  readonly namespace: string
  readonly netns: string
}

/** Pods that belong to no workload. `outside` is no pod of the cluster: it stands for the world. */
export type FixedPod = 'client' | 'stranger' | 'outside'

export function fixedPod(runId: string, place: FixedPod): Pod {
  return pod(runId, place)
}

/** Pod of the `number`-th workload of a run. Numbers are never used twice in a run, so neither are addresses: no stale connection tracking meets a new pod. */
export function workloadPod(runId: string, number: number): Pod {
  return pod(runId, `p${number}`)
}

function pod(runId: string, place: string): Pod {
  const namespace = namespaceName(runId, place)
  return { runId, place, namespace, netns: namespacePath(namespace) }
}
