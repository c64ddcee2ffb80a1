/** From the tests of a run to its comparisons: reads artifacts, keeps the last attempt, joins what matchers said. */
import * as v from 'valibot'
import { COMPARISON_ARTIFACT, type ComparisonArtifact, type Judgement } from '../measure/artifact.ts'
import { type Comparison, comparisonSchema, environmentSchema, overheadSchema } from '../measure/record.ts'
import { withJudgements } from './judgements.ts'
import type { MeasuredTest } from './measured-test.ts'

const artifactSchema = v.object({
  type: v.literal(COMPARISON_ARTIFACT),
  comparison: comparisonSchema,
  environment: v.nullable(environmentSchema),
  runId: v.string(),
  seed: v.string(),
  meshmark: v.string(),
})

const metaSchema = v.object({
  judgements: v.array(
    v.object({ comparisonId: v.string(), retry: v.number(), overhead: overheadSchema, message: v.string() }),
  ),
})

/** What the tests of a run gave. */
export interface Collected {
  comparisons: Comparison[]
  /** The artifacts that the comparisons came in. */
  artifacts: ComparisonArtifact[]
  /** What did not parse or does not fit together. */
  problems: string[]
}

const label = (test: MeasuredTest): string => `${test.project} › ${test.name}`

const isOurs = (artifact: unknown): boolean =>
  typeof artifact === 'object' && artifact !== null && 'type' in artifact && artifact.type === COMPARISON_ARTIFACT

function readArtifacts(test: MeasuredTest, problems: string[]): ComparisonArtifact[] {
  return test.artifacts.filter(isOurs).flatMap((artifact) => {
    const result = v.safeParse(artifactSchema, artifact)
    if (result.success) return [result.output]
    const [issue] = result.issues
    problems.push(`${label(test)}: a comparison can't be read: ${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`)
    return []
  })
}

function readJudgements(test: MeasuredTest, problems: string[]): Judgement[] {
  if (test.meta === undefined) return []
  const result = v.safeParse(metaSchema, test.meta)
  if (result.success) return result.output.judgements
  const [issue] = result.issues
  problems.push(
    `${label(test)}: what its matchers said can't be read: ${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`,
  )
  return []
}

/** A retried test keeps the artifacts of every attempt; only the last one counts. */
function lastAttemptOf(test: MeasuredTest, problems: string[]): ComparisonArtifact[] {
  const artifacts = readArtifacts(test, problems)
  const last = Math.max(test.lastAttempt, ...artifacts.map(({ comparison }) => comparison.retry))
  const kept = artifacts.filter(({ comparison }) => comparison.retry === last)
  if (kept.length === 0 && artifacts.length > 0) {
    problems.push(`${label(test)}: its last attempt (${last + 1}) measured nothing; earlier attempts are not shown`)
  }
  return kept
}

function judgementsOf(test: MeasuredTest, kept: readonly Comparison[], problems: string[]): Judgement[] {
  const ids = new Set(kept.map(({ id }) => id))
  const last = Math.max(test.lastAttempt, ...kept.map(({ retry }) => retry))
  const current = readJudgements(test, problems).filter(({ retry }) => retry === last)
  return current.filter(({ comparisonId, overhead }) => {
    if (!ids.has(comparisonId)) {
      problems.push(`${label(test)}: a matcher judged a comparison that was not recorded (${comparisonId})`)
      return false
    }
    if (overhead.outcome === 'pass' && (overhead.relative === null || overhead.blocks === 0)) {
      problems.push(`${label(test)}: ${overhead.of} of ${overhead.arm} passed without a figure`)
    }
    return true
  })
}

/** Reads every test of a run. What can't be read becomes a problem, never nothing. */
export function collect(tests: readonly MeasuredTest[]): Collected {
  const problems: string[] = []
  const artifacts = tests.flatMap((test) => {
    const kept = lastAttemptOf(test, problems)
    const judgements = judgementsOf(
      test,
      kept.map(({ comparison }) => comparison),
      problems,
    )
    return kept.map((artifact) => ({ ...artifact, comparison: withJudgements(artifact.comparison, judgements) }))
  })
  artifacts.sort((one, other) => byProjectAndSpec(one.comparison, other.comparison))
  return { comparisons: artifacts.map(({ comparison }) => comparison), artifacts, problems }
}

/**
 * The order of a report, whatever order modules finished or blobs were merged in: the baseline first, since the others are
 * judged by its noise floor; tests of one spec as they stand in it.
 */
function byProjectAndSpec(one: Comparison, other: Comparison): number {
  const rank = ({ project }: Comparison): number => (project === 'baseline' ? 0 : 1)
  return rank(one) - rank(other) || one.project.localeCompare(other.project) || one.spec.localeCompare(other.spec)
}
