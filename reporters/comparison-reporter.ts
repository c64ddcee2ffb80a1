/** Vitest's way into meshmark's reports: `meshmark/reporter`. Runs in Vitest's main process. */
import { relative, resolve } from 'node:path'
import type { Reporter, TestModule, TestRunEndReason, Vitest } from 'vitest/node'
import type { ComparisonArtifact } from '../measure/artifact.ts'
import { buildRecord, measuredSpan, type RunContext } from './build-record.ts'
import { collect } from './collected.ts'
import { followProgress, type LiveProgress } from './live-progress.ts'
import { measuredTests, ownProjectName } from './measured-test.ts'
import { runProblems } from './run-problems.ts'
import { paintFor } from './terminal/paint.ts'
import { terminalReport } from './terminal/report.ts'
import { writeRecord } from './write-record.ts'

/** Options of `meshmark/reporter`; the plugin sets them. */
export interface ComparisonReporterOptions {
  /** Folder of `record.json`, relative to the root. Default `meshmark-results`. */
  outputDir?: string
  /** Whether inconclusive outcomes fail the run (the matchers see to that; the report says so). Default: under `CI`. */
  gate?: boolean
  /** Projects that must give a comparison when they are selected. Default: every benchmark project. */
  projects?: readonly string[]
  /** File that the workers write their progress to; nothing is printed live without it. */
  progressFile?: string
  /** What the record says of a run that left no comparison. */
  runId?: string
  seed?: string
  meshmark?: string
}

/** Lines of a log have no width of their own: wide enough for every table in one piece. */
const UNBOUNDED_COLUMNS = 160

/**
 * Prints the comparison tables and writes `record.json`. Everything is built from what the tests carry when the run is
 * over (artifacts and meta), so that it works on merged blob reports too; live events serve progress only.
 */
export default class ComparisonReporter implements Reporter {
  readonly #options: ComparisonReporterOptions
  #vitest: Vitest | undefined
  #startedAt: number = Date.now()
  #progress: LiveProgress | undefined

  constructor(options: ComparisonReporterOptions = {}) {
    this.#options = options
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest
  }

  onTestRunStart(): void {
    this.#startedAt = Date.now()
    const { progressFile } = this.#options
    const vitest = this.#vitest
    if (progressFile === undefined || vitest === undefined || isMerging(vitest)) return
    this.#progress?.[Symbol.dispose]()
    this.#progress = followProgress(resolve(vitest.config.root, progressFile), (line) => vitest.logger.log(line))
  }

  async onTestRunEnd(
    modules: readonly TestModule[],
    _errors: readonly unknown[],
    reason: TestRunEndReason,
  ): Promise<void> {
    this.#progress?.[Symbol.dispose]()
    const vitest = this.#vitest
    if (vitest === undefined) return
    const tests = measuredTests(modules)
    const { artifacts, comparisons, problems } = collect(tests)
    problems.push(
      ...runProblems({
        tests,
        comparisons,
        projects: this.#requiredProjects(vitest),
        projectsWithSpecs: new Set(modules.map(({ project }) => ownProjectName(project.name))),
        filtered: await isFiltered(vitest, modules),
        interrupted: reason === 'interrupted',
      }),
    )
    if (problems.length > 0) process.exitCode ||= 1
    await this.#report(vitest, artifacts, {
      reason,
      problems,
      vitest: vitest.version,
      ...this.#context(vitest, artifacts),
    })
  }

  async #report(vitest: Vitest, artifacts: readonly ComparisonArtifact[], context: RunContext): Promise<void> {
    const record = buildRecord(artifacts, context)
    const folder = resolve(vitest.config.root, this.#options.outputDir ?? 'meshmark-results')
    const written = await writeRecord(folder, record).catch((error: unknown) => {
      process.exitCode ||= 1
      vitest.logger.error(`meshmark: the record can't be written to ${folder}: ${messageOf(error)}`)
    })
    // Benches of plain functions only: Vitest's own table says it all.
    if (record.comparisons.length === 0 && record.run.problems.length === 0) return
    const stream = process.stdout
    const text = terminalReport(record, {
      columns: stream.columns ?? UNBOUNDED_COLUMNS,
      paint: paintFor(stream),
      ...(written === undefined ? {} : { recordPath: relative(process.cwd(), written) }),
    })
    vitest.logger.log(text)
  }

  #requiredProjects(vitest: Vitest): string[] {
    const selected = vitest.projects
      .filter(({ config }) => config.benchmark.enabled)
      .map(({ name }) => ownProjectName(name))
    const { projects } = this.#options
    return projects === undefined ? selected : selected.filter((name) => projects.includes(name))
  }

  #context(
    vitest: Vitest,
    artifacts: readonly ComparisonArtifact[],
  ): Omit<RunContext, 'reason' | 'problems' | 'vitest'> {
    const { gate = Boolean(process.env['CI']), runId = 'none', seed = 'none', meshmark = 'unknown' } = this.#options
    const live = { startedAt: this.#startedAt, endedAt: Date.now() }
    return { ...((isMerging(vitest) && measuredSpan(artifacts)) || live), gate, runId, seed, meshmark }
  }
}

const isMerging = (vitest: Vitest): boolean => vitest.config.mergeReports !== undefined

/** Whether the user asked for less than everything: then a project without tests is no surprise. */
async function isFiltered(vitest: Vitest, modules: readonly TestModule[]): Promise<boolean> {
  const { testNamePattern, shard, tagsFilter } = vitest.config
  if (testNamePattern !== undefined || shard !== undefined || (tagsFilter?.length ?? 0) > 0) return true
  // A missing blob must not pass for a filter.
  if (isMerging(vitest)) return false
  const all = await vitest.globTestSpecifications()
  return all.length > modules.length
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
