/**
 * How a policy's cost grows with its rules, on established flows and on new connections: the lookup in eBPF maps is the same for
 * 1 and 10,000 rules, a netfilter chain is walked rule by rule.
 */
import { expect, scaleManifest, test } from 'meshmark/test'

const SIZES = [1, 10, 100, 1000, 10_000] as const
const WAYS = ['eBPF', 'iptables-stateful', 'iptables-stateless'] as const

/** Only the last rule concerns the client's flow. */
const policyOf = (rules: number): object =>
  scaleManifest(rules, { server: { app: 'http-echo' }, client: { app: 'client' }, port: 8080 })

for (const connection of ['keep-alive', 'per-request'] as const) {
  const flows = connection === 'keep-alive' ? 'established flows' : 'new connections'
  for (const way of WAYS) {
    test.on('cilium')(`${way}, ${flows}: 1 to 10,000 rules`, async ({ mesh, baseline, load, bench }) => {
      const arm = async (rules: number) => {
        const options = { policy: policyOf(rules), replicas: 4 }
        const workload =
          way === 'eBPF'
            ? await mesh.workload('http-echo', options)
            : await baseline.workload('http-echo', { ...options, enforcement: way })
        return bench(`${rules} rules`, load.http(workload, { connection, cap: '30s', precision: '1%' }))
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
