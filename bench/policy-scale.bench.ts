/**
 * How a policy's cost grows with its rules, on established flows and on new connections: the lookup in eBPF maps is the same for
 * 1 and 10,000 rules, a netfilter chain is walked rule by rule.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { scalePolicy } from 'meshmark'
import { expect, test } from 'meshmark/test'

const SIZES = [1, 10, 100, 1000, 10_000] as const
const WAYS = ['eBPF', 'iptables-stateful', 'iptables-stateless'] as const

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshmark-policy-scale-'))
  for (const rules of SIZES) writeFileSync(fileOf(rules), scalePolicy(rules))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const fileOf = (rules: number): string => join(folder, `${rules}.yaml`)

for (const connection of ['keep-alive', 'per-request'] as const) {
  const flows = connection === 'keep-alive' ? 'established flows' : 'new connections'
  for (const way of WAYS) {
    test.on('cilium')(`${way}, ${flows}: 1 to 10,000 rules`, async ({ mesh, baseline, load, bench }) => {
      const arm = async (rules: number) => {
        const options = { policy: fileOf(rules), replicas: 2 }
        const workload =
          way === 'eBPF'
            ? await mesh.workload('http-echo', options)
            : await baseline.workload('http-echo', { ...options, enforcement: way })
        return bench(`${rules} rules`, load.http(workload, { connection, cap: '20s', precision: '1%' }))
      }
      const [one, ten, hundred, thousand, tenThousand] = [
        await arm(SIZES[0]),
        await arm(SIZES[1]),
        await arm(SIZES[2]),
        await arm(SIZES[3]),
        await arm(SIZES[4]),
      ]
      const result = await bench.compare(one, ten, hundred, thousand, tenThousand)
      if (way === 'eBPF') {
        expect(result.get('10000 rules')).toHaveOverheadBelow(mesh.budget('policy scale'), {
          over: result.get('10 rules'),
          of: 'p50',
        })
      }
    })
  }
}
