/** What the server with known delays says of the requests to one path, in the order in which they arrived. */
export interface PathRecord {
  /** On the server's clock, ms. */
  readonly arrivedMs: readonly number[]
  readonly answeredMs: readonly number[]
  /** When the process stood still, on the same clock; for all paths together, in their order. */
  readonly stalls: readonly { readonly fromMs: number; readonly toMs: number }[]
}

/** Requests `from` to `to` (excluded), numbered from 0 again. */
export function sliceRecord(record: PathRecord, from: number, to: number): PathRecord {
  return {
    arrivedMs: record.arrivedMs.slice(from, to),
    answeredMs: record.answeredMs.slice(from, to),
    stalls: record.stalls,
  }
}
