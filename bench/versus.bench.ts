/** Cilium against Istio directly: both are live at once, so that their requests are paired. */
import { expect, test } from 'meshmark/test'

test.on('versus')('Cilium answers sooner than Istio', async ({ meshes, load, bench }) => {
  const [cilium, istio] = await meshes('cilium', 'istio')
  if (cilium === undefined || istio === undefined) throw new Error('both meshes are needed')
  const options = { cap: '20s', precision: '1%' }
  const result = await bench.compare(
    bench('cilium', load.http(await cilium.workload('http-echo'), options)),
    bench('istio', load.http(await istio.workload('http-echo'), options)),
  )
  expect(result.get('cilium')).toBeFasterThanMesh(result.get('istio'), { of: 'p50' })
  expect(result.get('cilium')).toBeFasterThanMesh(result.get('istio'), { of: 'cpu' })
})
