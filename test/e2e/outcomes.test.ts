/** What a run that is dearer than its budget, or that can't tell, ends with. */
import { expect, test } from 'vitest'
import { judged, validRecord } from './harness/record.ts'
import { runBench } from './harness/run-bench.ts'
import { configuration, quickSpec } from './harness/sources.ts'
import { whatWentWrong } from './harness/what-went-wrong.ts'

const istioOnly = (gate: boolean): string =>
  configuration(`{ gate: ${gate}, meshes: { istio: { budgets: { http: '3000%' } } } }`)
const onIstio = ['--project', 'istio']

/** A sentence may be broken over lines where it is printed. */
const flowing = (text: string): string => text.replaceAll(/\s+/g, ' ')

/** A cap of 1 s holds no 20 blocks of 0.3 s: whatever was measured, it decides nothing. */
const TOO_SHORT = '1s'

test('a budget below what is measured: exit code 1 and a sentence with estimate, interval, budget, noise floor and next step', async () => {
  const run = await runBench({
    files: { 'vitest.config.ts': istioOnly(false), 'http.bench.ts': quickSpec('40s', "'1%'") },
    args: onIstio,
  })
  expect(run.exitCode, whatWentWrong(run)).toBe(1)
  expect(flowing(run.stdout + run.stderr)).toMatch(
    /p50 of istio \(lab\) is \+\d+(?:\.\d+)? % \[\+\d+(?:\.\d+)? %, \+\d+(?:\.\d+)? %\] over baseline \(\d+(?:\.\d+)? µs → [\d,.]+ µs\), over the budget of 1 %\. Noise floor: not measured in this run \(run project baseline, too\)\. Next: find what got dearer \(npx meshmark explain meshmark-results\/record\.json\), or raise the budget if this price is meant\./,
  )
  // Where it was claimed, as for every failed expectation.
  expect(run.stdout + run.stderr).toMatch(/http\.bench\.ts:11:/)
  const record = validRecord(run.record)
  expect(record.run.reason).toBe('failed')
  expect(judged(record.comparisons[0])).toMatchObject({ outcome: 'fail', budget: { relative: 0.01 } })
  expect(run.stdout).toMatch(/^ 1 fail$/m)
})

test('inconclusive under the gate: exit code 1, and what would decide it', async () => {
  const run = await runBench({
    files: { 'vitest.config.ts': istioOnly(true), 'http.bench.ts': quickSpec(TOO_SHORT) },
    args: onIstio,
  })
  expect(run.exitCode, whatWentWrong(run)).toBe(1)
  expect(flowing(run.stdout + run.stderr)).toMatch(
    /p50 of istio \(lab\) .* Inconclusive fails under the gate: (?:cap: '\d+s' instead of '1s' would give enough blocks|no block was valid \(the last: .*\))\./,
  )
  expect(judged(validRecord(run.record).comparisons[0]).outcome).toBe('inconclusive')
  expect(run.stdout).toMatch(/^ 1 inconclusive · gate: inconclusive fails$/m)
})

test('inconclusive without the gate: a warning, and exit code 0', async () => {
  const run = await runBench({
    files: { 'vitest.config.ts': istioOnly(false), 'http.bench.ts': quickSpec(TOO_SHORT) },
    args: onIstio,
    // `gate` in the configuration says more than the machine.
    env: { CI: 'true' },
  })
  expect(run.exitCode, whatWentWrong(run)).toBe(0)
  expect(flowing(run.stderr)).toMatch(
    /meshmark warning: p50 of istio \(lab\) .* is not known: \d+ valid blocks?, at least 20 are needed: \d+ more\. Inconclusive: /,
  )
  expect(judged(validRecord(run.record).comparisons[0]).outcome).toBe('inconclusive')
  expect(run.stdout).toMatch(/^ 1 inconclusive · no gate: inconclusive only warns$/m)
})
