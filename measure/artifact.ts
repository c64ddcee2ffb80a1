/**
 * What a worker hands to the reporter: types only beside one constant, so that the main process and the worker can both
 * load it. Everything here is plain JSON: typed arrays and Maps do not survive Vitest's blob reports.
 */
import type { Comparison, EnvironmentDescription, Overhead } from './record.ts'

/** `type` of the artifact that the provider records for every comparison. */
export const COMPARISON_ARTIFACT = 'meshmark:comparison'

/** One measured comparison, recorded on its test by the provider (`recordArtifact`). */
export interface ComparisonArtifact {
  type: typeof COMPARISON_ARTIFACT
  comparison: Comparison
  /** null where the spec brought no environment up. */
  environment: EnvironmentDescription | null
  runId: string
  seed: string
  /** Version of meshmark that measured. */
  meshmark: string
}

/** What a matcher said of one overhead; it replaces or joins the measured one in the comparison's `overheads`. */
export interface Judgement {
  comparisonId: string
  /** The attempt it was made in, as in `Comparison.retry`. */
  retry: number
  /** With outcome, budget and claim. */
  overhead: Overhead
  /** The matcher's sentence. */
  message: string
}

/** `task.meta.meshmark`. */
export interface TaskMetaMeshmark {
  judgements: Judgement[]
}
