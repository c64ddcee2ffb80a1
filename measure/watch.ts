/**
 * What watches arms from outside while they are driven (eBPF probes). It is attached for windows of its own, after everything that
 * decides, unless a spec asks otherwise: what explains must not change what is judged.
 */
import type { Explanation } from './record.ts'

/** What an arm was sent while it was watched. */
export interface Driven {
  readonly arm: string
  readonly requests: number
  /** Of these, answered with 400 or above. */
  readonly errors: number
  /** By the load agent's clock. */
  readonly meanUs: number
  /** Where it was attached while the overheads were measured, too: what was seen then. */
  readonly meanwhile?: Explanation['meanwhile']
}

export interface Watch {
  /** Attached while the verdict's blocks are measured, too. */
  readonly throughout: boolean
  attach(): Promise<AttachedWatch>
}

export interface AttachedWatch extends AsyncDisposable {
  /** What was seen since it was attached, or since `begin()`, of whatever was sent. */
  meanwhile(): Promise<NonNullable<Explanation['meanwhile']>>
  /** Counts from here on. */
  begin(): Promise<void>
  /** What was seen since. @throws Error when it saw none of the requests */
  end(driven: Driven): Promise<Explanation>
}
