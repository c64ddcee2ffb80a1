/** What the mesh adds when bodies grow: 1 KB and 64 KB up and back. */
import { expect, test } from 'meshmark/test'

for (const [size, bytes] of [
  ['1 KB', 1024],
  ['64 KB', 65_536],
] as const) {
  test(`bodies of ${size} through the mesh`, async ({ mesh, baseline, load, bench }) => {
    const options = { body: { bytes }, precision: '1%', cap: '20s' }
    const result = await bench.compare(
      bench('baseline', load.http(await baseline.workload('http-echo'), options)),
      bench(mesh.arm, load.http(await mesh.workload('http-echo'), options)),
    )
    expect(result.get(mesh.arm)).toHaveOverheadBelow(mesh.budget(`payload ${size}`), {
      over: result.get('baseline'),
      of: 'p50',
    })
  })
}
