/** One thing that meshmark needs of a machine, and what was found. */
export interface Check {
  readonly name: string
  /** `warning`: it works, but numbers may suffer or a part is missing. */
  readonly ok: 'ok' | 'warning' | 'failed'
  readonly found: string
  /** What to do about it. */
  readonly fix?: string
}
