import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { explain } from './explanation.ts'
import { parseProbeReport, type ProbeReport } from './probe-report.ts'

/** Recorded on Linux 6.18 (breakdown.test.ts). */
const recorded = (): ProbeReport =>
  parseProbeReport(JSON.parse(readFileSync(new URL('./testdata/two-proxies.json', import.meta.url), 'utf8')))
const path = { client: 'client', clientProxy: 'client-proxy', serverProxy: 'server-proxy', app: 'app' }

test('what was driven and what was seen stand beside each other; equal counts are no warning', () => {
  const { breakdown, report, ...rest } = explain(
    recorded(),
    { arm: 'istio', requests: 6067, errors: 0, meanUs: 651 },
    { path, attached: 'apart' },
  )
  expect(breakdown?.requests).toBe(6067)
  expect(report.schema).toBe('meshmark/probe/1')
  expect(rest).toMatchObject({
    arm: 'istio',
    attached: 'apart',
    probes: ['latency'],
    requests: 6067,
    meanUs: 651,
    drops: null,
    connections: null,
    lost: 0,
  })
  expect(rest.warnings.join()).not.toMatch(/were sent/)
})

test('requests that the probes did not see are said', () => {
  const { warnings } = explain(
    recorded(),
    { arm: 'istio', requests: 6070, errors: 0, meanUs: 651 },
    { path, attached: 'apart' },
  )
  expect(warnings).toContain('6070 requests were sent, the probes counted 6067')
})

test('drops are summed over the targets, with where each was seen', () => {
  const byClass = { loss: 2, refused: 0, policy: 3, teardown: 0, unknown: 0 }
  const reason = {
    class: 'policy' as const,
    reason: 'NETFILTER_DROP',
    location: 'nf_hook_slow+0x1',
    count: 3,
    perSecond: 1,
  }
  const drops = { total: 5, byClass, reasons: [reason], services: [], failedConnects: [] }
  const report = recorded()
  const { breakdown, drops: seen } = explain(
    { ...report, probes: ['drops'], targets: report.targets.map((target) => ({ ...target, drops })) },
    { arm: 'istio', requests: 6067, errors: 0, meanUs: 651 },
    { path, attached: 'throughout' },
  )
  expect(breakdown).toBeNull()
  expect(seen).toMatchObject({ total: 20, byClass: { loss: 8, policy: 12 } })
  expect(seen?.reasons.map(({ target, count }) => [target, count])).toEqual([
    ['client', 3],
    ['client-proxy', 3],
    ['server-proxy', 3],
    ['app', 3],
  ])
})

test('connections that nobody made a request on are no result', () => {
  expect(() =>
    explain(
      { ...recorded(), probes: ['connections'] },
      { arm: 'istio', requests: 1, errors: 0, meanUs: 1 },
      { path, attached: 'apart' },
    ),
  ).toThrow('client made no request while the probes watched.')
})

test("the probes' cost is that of the client's requests, however many hops there are", () => {
  const report = recorded()
  const cost = { ...report.cost, cpuShare: 0.01, nsPerRequest: 1 }
  const { cost: own, report: kept } = explain(
    { ...report, cost, seconds: 4, partial: true },
    { arm: 'istio', requests: 8000, errors: 0, meanUs: 651 },
    { path, attached: 'apart' },
  )
  expect(own.nsPerRequest).toBeCloseTo(5000)
  expect(kept['partial']).toBe(false)
})
