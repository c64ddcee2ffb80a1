/** What is wrong with a run as a whole: above all, a green run that measured nothing. */
import type { Comparison } from '../measure/record.ts'
import type { MeasuredTest } from './measured-test.ts'

/** A run as far as its problems are concerned. */
export interface RunFacts {
  tests: readonly MeasuredTest[]
  comparisons: readonly Comparison[]
  /** Projects that were selected and must give a comparison. */
  projects: readonly string[]
  /** Projects that had at least one spec file in the run. */
  projectsWithSpecs: ReadonlySet<string>
  /** Fewer tests than there are were asked for: by name, by file, by shard. */
  filtered: boolean
  interrupted: boolean
}

const hasRun = ({ state }: MeasuredTest): boolean => state === 'passed' || state === 'failed'

const tests = (count: number): string => (count === 1 ? 'its test' : `its ${count} tests`)

function whyNothing(project: string, run: RunFacts): string | undefined {
  const own = run.tests.filter((test) => test.project === project)
  const ran = own.filter(hasRun)
  const failed = ran.filter(({ state }) => state === 'failed').length
  if (run.interrupted) return 'the run was interrupted'
  const unfinished = own.filter(({ state }) => state === 'pending').length
  if (unfinished > 0) return `the worker ended before ${tests(unfinished)} did`
  if (ran.length === 0) {
    if (!run.projectsWithSpecs.has(project)) return run.filtered ? undefined : 'no spec ran in it'
    return run.filtered ? undefined : 'no test applies to it, or all were skipped'
  }
  if (failed === ran.length) return `${tests(failed)} failed before anything was measured`
  // Plain functions in a `bench` are handed to tinybench; a project of nothing else has nothing to compare.
  if (ran.some(({ benchmarks }) => benchmarks > 0)) return undefined
  return `${tests(ran.length)} ran without a bench.compare of loads`
}

/** One line for each problem. */
export function runProblems(run: RunFacts): string[] {
  const measured = new Set(run.comparisons.map(({ project }) => project))
  const problems = run.projects
    .filter((project) => !measured.has(project))
    .flatMap((project) => {
      const why = whyNothing(project, run)
      return why === undefined ? [] : [`${project}: no comparison: ${why}`]
    })
  if (problems.length > 0 || run.comparisons.length > 0) return problems
  if (!run.tests.some(hasRun)) return ['no test ran: nothing was measured']
  if (run.tests.some(({ benchmarks }) => benchmarks > 0)) return []
  return ['no comparison in the whole run: nothing was measured']
}
