/** What the mesh adds to a request. In project `baseline` the same spec is the A/A control: its interval is the noise floor. */
import { expect, test } from 'meshmark/test'

test('HTTP through the mesh', async ({ mesh, baseline, load, bench }) => {
  const result = await bench.compare(
    bench('baseline', load.http(await baseline.workload('http-echo'))),
    bench(mesh.arm, load.http(await mesh.workload('http-echo'))),
  )
  const over = result.get('baseline')
  expect(result.get(mesh.arm)).toHaveOverheadBelow(mesh.budget('http'), { over, of: 'p50' })
  expect(result.get(mesh.arm)).toHaveOverheadBelow(mesh.budget('http cpu'), { over, of: 'cpu' })
})

test('HTTP throughput through the mesh', async ({ mesh, baseline, load, bench }) => {
  const options = { plan: 'saturate', connections: 32, cap: '18s' } as const
  const result = await bench.compare(
    bench('baseline', load.http(await baseline.workload('http-echo'), options)),
    bench(mesh.arm, load.http(await mesh.workload('http-echo'), options)),
  )
  expect(result.get(mesh.arm)).toHaveOverheadBelow(mesh.budget('http throughput'), {
    over: result.get('baseline'),
    of: 'throughput',
  })
})
