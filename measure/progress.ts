/** What a worker says of a measurement while it runs; the reporter prints it. Not part of the record. */
import * as v from 'valibot'
import { metricSchema } from './record.ts'

export const progressSchema = v.object({
  /** The project's own name, without Vitest's suffix. */
  project: v.string(),
  /** Spec file, relative to the root. */
  spec: v.string(),
  test: v.string(),
  phase: v.picklist(['warm-up', 'measuring', 'statistics']),
  arms: v.array(v.string()),
  currentArm: v.nullable(v.string()),
  block: v.number(),
  elapsedMs: v.number(),
  capMs: v.number(),
  /** The estimate so far: fractions, positive is dearer, 95 % interval. */
  estimate: v.nullable(
    v.object({ of: metricSchema, arm: v.string(), relative: v.number(), low: v.number(), high: v.number() }),
  ),
  /** When it was written, ms since the epoch. */
  at: v.number(),
})
/** One update, written whole (temp + rename, or one write) to the progress file. */
export type Progress = v.InferOutput<typeof progressSchema>
