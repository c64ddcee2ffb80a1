/** What a new connection for every request costs against a kept one, on the same workload. */
import { expect, test } from 'meshmark/test'

test('a new connection for every request', async ({ mesh, load, bench }) => {
  const echo = await mesh.workload('http-echo')
  const result = await bench.compare(
    bench('keep-alive', load.http(echo, { cap: '20s' })),
    bench('new connection', load.http(echo, { connection: 'per-request', cap: '20s' })),
  )
  expect(result.get('new connection')).toHaveOverheadBelow(mesh.budget('new connection'), {
    over: result.get('keep-alive'),
    of: 'p50',
  })
})
