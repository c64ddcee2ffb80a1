/** What a policy costs, by the way it is enforced: netfilter on a routed path, eBPF at L3/L4, eBPF and the node's Envoy at L7. */
import { expect, test } from 'meshmark/test'

const POLICY = 'manifests/policies/l3-l4.yaml'
const L7_POLICY = 'manifests/policies/l7.yaml'

// Eight pods of each, and all the rounds that the cap holds for these two alone: their difference is looked for within ±0.5 %.
test.on('cilium')('an L3/L4 policy', async ({ mesh, load, bench }) => {
  const open = await mesh.workload('http-echo')
  const guarded = await mesh.workload('http-echo', { policy: POLICY })
  await expect(guarded).toAllow({ from: 'client', port: 8080 })
  await expect(guarded).toDeny({ from: 'stranger', port: 8080 })
  const result = await bench.compare(
    bench('no policy', load.http(open, { cap: '28s' })),
    bench('eBPF L3/L4', load.http(guarded, { cap: '28s' })),
  )
  expect(result.get('eBPF L3/L4')).toHaveOverheadBelow(mesh.budget('policy l3-l4'), {
    over: result.get('no policy'),
    of: 'p50',
  })
})

test.on('cilium')('the same policy by netfilter', async ({ baseline, load, bench }) => {
  const options = { cap: '16s' } as const
  const by = async (enforcement: 'iptables-stateful' | 'iptables-stateless' | 'nftables-sets') =>
    load.http(await baseline.workload('http-echo', { policy: POLICY, enforcement }), options)
  const result = await bench.compare(
    bench('no policy', load.http(await baseline.workload('http-echo'), options)),
    bench('iptables stateful', await by('iptables-stateful')),
    bench('iptables stateless', await by('iptables-stateless')),
    bench('nftables sets', await by('nftables-sets')),
  )
  for (const arm of ['iptables stateful', 'iptables stateless', 'nftables sets'] as const) {
    expect(result.get(arm)).toHaveOverheadBelow(baseline.budget('policy by netfilter'), {
      over: result.get('no policy'),
      of: 'p50',
    })
  }
})

test.on('cilium')('an L7 policy', async ({ mesh, load, bench }) => {
  const open = await mesh.workload('http-echo')
  const guarded = await mesh.workload('http-echo', { policy: L7_POLICY })
  await expect(guarded).toAllow({ from: 'client', http: { method: 'GET', path: '/' } })
  await expect(guarded).toDeny({ from: 'client', http: { method: 'POST', path: '/' } })
  await expect(guarded).toDeny({ from: 'stranger', http: { method: 'GET', path: '/' } })
  const result = await bench.compare(
    bench('no policy', load.http(open, { cap: '11s' })),
    bench('eBPF + Envoy L7', load.http(guarded, { cap: '11s' })),
  )
  expect(result.get('eBPF + Envoy L7')).toHaveOverheadBelow(mesh.budget('policy l7'), {
    over: result.get('no policy'),
    of: 'p50',
  })
})
