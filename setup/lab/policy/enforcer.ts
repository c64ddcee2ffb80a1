import type { Daemon } from '../daemon.ts'
import type { Flow } from '../flow/flow.ts'
import type { FixedPod } from '../pod.ts'
import type { RunState } from '../run-state.ts'

/** A pod as policies see it. */
export interface PolicedPod {
  /** Its number in the run. */
  readonly number: number
  /** `p7`: also the node's end of its veth. */
  readonly place: string
  readonly workload: string
  readonly labels: Readonly<Record<string, string>>
  readonly address: string
  readonly address6: string | undefined
  /** That its app listens on. */
  readonly port: number
}

/** Packets that a policy has dropped, or requests that it has denied, since it was enforced. */
export interface Drop {
  /** `p7`, or the workload's name. */
  readonly pod: string
  /** `policy denied`, `denied by rule`, … in the enforcer's own words. */
  readonly reason: string
  /** Policy and rule (`l3-l4: spec.ingressDeny[0]`) where one is known: a default deny has none. */
  readonly rule: string | null
  readonly packets: number
}

/** A flow with the verdict that the policy gives it. */
export interface ExpectedFlow {
  readonly from: FixedPod
  /** `p7` */
  readonly pod: string
  readonly flow: Flow
  readonly allowed: boolean
}

/** A policy that is in force on some pods. */
export interface EnforcedPolicy {
  /** `eBPF`, `eBPF + Envoy`, `iptables-stateful`, … */
  readonly by: string
  /** Of the policies: each peer with each port. */
  readonly rules: number
  /** From the parsed policy to the last row in force. */
  readonly appliedMs: number
  /** The node's proxy that its flows go through, where it has L7 rules. */
  readonly sharedProxy?: Daemon | undefined
  /** Flows to be tried before anything is measured. */
  readonly expected: readonly ExpectedFlow[]
  /** @throws LabError when the data path no longer answers */
  drops(): Promise<readonly Drop[]>
  remove(): Promise<void>
}

/** One way of enforcing policies. */
export interface PolicyEnforcer {
  /**
   * Puts pods, and only these, under the policies of a file; replaces what they were under, without a gap.
   * @throws LabError that names file and field of what can't be enforced; what was in force before stays
   */
  enforce(run: RunState, pods: readonly PolicedPod[], file: string): Promise<EnforcedPolicy>
  /**
   * Pods have come or gone: policies may mean the new ones, too, and what pods were under that are no more is taken away. Without
   * policies in force it does nothing.
   */
  refresh(run: RunState): Promise<void>
}
