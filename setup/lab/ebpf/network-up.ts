import { clientLeg, outsideLeg } from '../leg.ts'
import type { Leg } from '../leg.ts'
import { addNamespaces } from '../namespaces.ts'
import { networkOf, nodeNamespace } from '../network.ts'
import type { RunState } from '../run-state.ts'
import { joinLegs, setUpProxyNode } from '../topology.ts'

/**
 * The node of the eBPF network and the pods that every run has there. The node does not forward: only the data path's
 * programs carry packets between pods, so that without them nothing passes.
 */
export async function setUpEbpfNetwork(run: RunState): Promise<readonly Leg[]> {
  const network = networkOf('ebpf')
  const outside = outsideLeg(run.runId, network)
  await addNamespaces([nodeNamespace(run.runId, network), outside.pod.namespace])
  const legs = [clientLeg(run.runId, network), clientLeg(run.runId, network, 'stranger'), outside]
  await setUpProxyNode(run.runId, network)
  await joinLegs(run.runId, network, legs)
  return legs
}
