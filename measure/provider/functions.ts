/** A `bench` of plain functions is tinybench's work, as with Vitest's own provider. */
import { Bench } from 'tinybench'
import type { BenchmarkGroup, BenchResult } from './vitest-types.ts'

/** @throws AggregateError (or the one error) of the functions that failed */
export async function runFunctions(group: BenchmarkGroup): Promise<BenchResult[]> {
  const bench = new Bench({
    signal: group.test.context.signal,
    retainSamples: group.config.retainSamples,
    ...group.options,
  })
  for (const registration of group.registrations) {
    bench.add(registration.name, registration.fn, registration.fnOpts)
  }
  const tasks = await bench.run()
  const errors: unknown[] = []
  const results: BenchResult[] = []
  for (const task of tasks) {
    const { result } = task
    if (result.state === 'completed') results.push({ ...result, name: task.name } as BenchResult)
    else
      errors.push(
        'error' in result ? result.error : new Error(`benchmark "${task.name}" did not complete (${result.state})`),
      )
  }
  if (errors.length > 1) throw new AggregateError(errors, 'Some benchmarks failed')
  if (errors.length === 1) throw errors[0]
  return results
}
