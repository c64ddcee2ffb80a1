/** One comparison of each plan, short: what `resources.ts` reads the memory of. */
import { test } from 'meshmark/test'

for (const options of [
  { plan: 'paired', cap: '10s' },
  { plan: 'rate', rate: 500, cap: '10s' },
  { plan: 'saturate', cap: '10s' },
] as const) {
  test(`memory of plan ${options.plan}`, async ({ mesh, baseline, load, bench }) => {
    await bench.compare(
      bench('baseline', load.http(await baseline.workload('http-echo'), options)),
      bench(mesh.arm, load.http(await mesh.workload('http-echo'), options)),
    )
  })
}
