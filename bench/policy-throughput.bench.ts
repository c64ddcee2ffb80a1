/** What a policy takes from the throughput: at L3/L4 in the data path, at L7 through the node's Envoy. */
import { expect, test } from 'meshmark/test'

const POLICY = 'manifests/policies/l3-l4.yaml'
const L7_POLICY = 'manifests/policies/l7.yaml'
const saturate = { plan: 'saturate', connections: 16, cap: '45s' } as const

test.on('cilium')('throughput under a policy', async ({ mesh, load, bench }) => {
  const result = await bench.compare(
    bench('no policy', load.http(await mesh.workload('http-echo'), saturate)),
    bench('eBPF L3/L4', load.http(await mesh.workload('http-echo', { policy: POLICY }), saturate)),
    bench('eBPF + Envoy L7', load.http(await mesh.workload('http-echo', { policy: L7_POLICY }), saturate)),
  )
  expect(result.get('eBPF L3/L4')).toHaveOverheadBelow(mesh.budget('policy l3-l4 throughput'), {
    over: result.get('no policy'),
    of: 'throughput',
  })
})
