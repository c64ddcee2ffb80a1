/** Where the time of a request goes: probes are attached after the comparison was measured, so that they don't change it. */
import { expect, test } from 'meshmark/test'

test.on('cilium', 'istio')('where the time goes', async ({ mesh, baseline, load, probes, bench }) => {
  const without = await baseline.workload('http-echo', { replicas: 2 })
  const workload = await mesh.workload('http-echo', { replicas: 2 })
  const seen = await probes.attach('latency', 'drops', 'connections', { on: [without, workload] })
  const options = { cap: '10s', precision: '1%' } as const
  await bench.compare(bench('baseline', load.http(without, options)), bench(mesh.arm, load.http(workload, options)))
  expect(seen).toHaveNoDrops({ class: 'loss' })
  expect(seen).toReuseConnections('95%')
})
