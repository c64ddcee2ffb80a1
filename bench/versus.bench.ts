/** Cilium against Istio directly: both are live at once, so that their requests are paired. */
import { expect, test } from 'meshmark/test'

test.on('versus')('Cilium answers sooner than Istio', async ({ meshes, load, probes, bench }) => {
  const [cilium, istio] = await meshes('cilium', 'istio')
  if (cilium === undefined || istio === undefined) throw new Error('both meshes are needed')
  const [inCilium, inIstio] = [await cilium.workload('http-echo'), await istio.workload('http-echo')]
  // Where the time goes, in windows of their own after the comparison.
  await probes.attach('latency', { on: [inCilium, inIstio] })
  const options = { cap: '15s', precision: '1%' }
  const result = await bench.compare(
    bench('cilium', load.http(inCilium, options)),
    bench('istio', load.http(inIstio, options)),
  )
  expect(result.get('cilium')).toBeFasterThanMesh(result.get('istio'), { of: 'p50' })
  expect(result.get('cilium')).toBeFasterThanMesh(result.get('istio'), { of: 'cpu' })
})
