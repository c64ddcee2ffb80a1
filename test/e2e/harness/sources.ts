/** Configurations and specs that several tests run. */

/** `vitest.config.ts` with these options of the plugin, as source. */
export const configuration = (options: string): string => `
import { meshmark } from 'meshmark'
import { defineConfig } from 'vitest/config'

export default defineConfig({ plugins: [meshmark(${options})] })
`

/** The first spec of the design, to the letter. */
export const FIRST_SPEC = `
import { expect, test } from 'meshmark/test'

test('HTTP through the mesh', async ({ mesh, baseline, load, bench }) => {
  const result = await bench.compare(
    bench('baseline', load.http(await baseline.workload('http-echo'))),
    bench(mesh.arm, load.http(await mesh.workload('http-echo'))),
  )
  expect(result.get(mesh.arm)).toHaveOverheadBelow(mesh.budget('http'), { over: result.get('baseline'), of: 'p50' })
})
`

/** The same with one pod an arm and a short cap; \`budget\` is source. */
export const quickSpec = (cap: string, budget: string = "mesh.budget('http')"): string => `
import { expect, test } from 'meshmark/test'

test('HTTP through the mesh', async ({ mesh, baseline, load, bench }) => {
  // So wide a precision is reached at the first look that has enough blocks: 20, after a quarter of the cap or later.
  const options = { cap: '${cap}', precision: '100%' }
  const result = await bench.compare(
    bench('baseline', load.http(await baseline.workload('http-echo', { replicas: 1 }), options)),
    bench(mesh.arm, load.http(await mesh.workload('http-echo', { replicas: 1 }), options)),
  )
  expect(result.get(mesh.arm)).toHaveOverheadBelow(${budget}, { over: result.get('baseline'), of: 'p50' })
})
`

/** Plain functions: tinybench's, with and without a comparison. */
export const FUNCTIONS = `
import { test } from 'meshmark/test'

const quick = { time: 20, iterations: 20, warmupTime: 5, warmupIterations: 5 }

test('one function', async ({ bench }) => {
  await bench('sum', () => [1, 2, 3].reduce((a, b) => a + b)).run(quick)
})

test('two functions', async ({ bench }) => {
  await bench.compare(bench('parse', () => JSON.parse('[1,2]')), bench('split', () => '1,2'.split(',')), quick)
})
`
