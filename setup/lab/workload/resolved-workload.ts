import type { Protocol } from '../../../measure/target.ts'

/** A workload as the lab can start it. */
export interface ResolvedWorkload {
  readonly name: string
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Port of the app in its pod, and of its service. */
  readonly port: number
  readonly servicePort: number
  /** The ports that have a name. */
  readonly ports: readonly { readonly name: string; readonly port: number }[]
  /** Of its pods: what policies select by. */
  readonly labels: Readonly<Record<string, string>>
  readonly cwd: string | undefined
  readonly protocol: Protocol
  /** What the manifest asks for and the lab does without, each with its field. */
  readonly notices: readonly string[]
}
