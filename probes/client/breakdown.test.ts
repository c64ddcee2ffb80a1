import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { breakDown } from './breakdown.ts'
import { parseProbeReport } from './probe-report.ts'

/** Recorded on Linux 6.18: a Python client, one or no Envoy 1.40 on each side of a veth, a Node server; one connection. */
const recorded = (name: string) =>
  parseProbeReport(JSON.parse(readFileSync(new URL(`./testdata/${name}.json`, import.meta.url), 'utf8')))
const twoProxies = { client: 'client', clientProxy: 'client-proxy', serverProxy: 'server-proxy', app: 'app' }
const rounded = (breakdown: ReturnType<typeof breakDown>) =>
  breakdown.parts.map(({ name, meanUs, share }) => `${name} ${meanUs.toFixed(1)} µs, ${(share * 100).toFixed(1)} %`)

test('two proxies: the parts add up to the whole, next to nothing is unexplained', () => {
  const breakdown = breakDown(recorded('two-proxies'), twoProxies)
  expect(rounded(breakdown)).toMatchInlineSnapshot(`
    [
      "app 41.5 µs, 6.4 %",
      "client proxy 182.7 µs, 28.4 %",
      "server proxy 164.9 µs, 25.6 %",
      "kernel queues 189.6 µs, 29.5 %",
      "wire 61.0 µs, 9.5 %",
      "unexplained 3.9 µs, 0.6 %",
    ]
  `)
  expect(breakdown.parts.reduce((sum, part) => sum + part.meanUs, 0)).toBeCloseTo(breakdown.meanUs, 6)
  expect([breakdown.requests, breakdown.meanUs, breakdown.p50Us, breakdown.p99Us, breakdown.doubts])
    .toMatchInlineSnapshot(`
    [
      6067,
      643.664322235042,
      582.3833372781065,
      969.3593599999994,
      [],
    ]
  `)
})

test('no proxy: its parts are not there; more than 5 % unexplained is said', () => {
  const breakdown = breakDown(recorded('direct'), { client: 'client', app: 'app' })
  expect(rounded(breakdown)).toMatchInlineSnapshot(`
    [
      "app 15.9 µs, 20.5 %",
      "kernel queues 44.7 µs, 57.7 %",
      "wire 21.4 µs, 27.6 %",
      "unexplained -4.5 µs, -5.8 %",
    ]
  `)
  expect(breakdown.doubts).toMatchInlineSnapshot(`
    [
      "5.8 % of the mean are not explained",
    ]
  `)
})

test('where single requests were followed, proxies and the wire have percentiles, too', () => {
  const report = recorded('two-proxies')
  const latency = (name: string) => {
    const found = report.targets.find((target) => target.name === name)?.latency
    if (found === undefined) throw new Error(`${name} is recorded`)
    return found
  }
  const part = (name: string) => breakDown(report, twoProxies).parts.find((each) => each.name === name)
  expect(part('wire')).toMatchObject({ p50Us: null, p99Us: null })
  expect(part('client proxy')).toMatchObject({ p50Us: null, p99Us: null })

  const of = (count: number, low: number, high: number) => ({
    ...structuredClone(latency('app').server.turn),
    count,
    p50: (low + high) / 2,
    p99: high,
    buckets: [[low, high, count] as [number, number, number]],
  })
  latency('client-proxy').server.own = of(100, 150_000, 160_000)
  expect(part('client proxy')).toMatchObject({ p50Us: 155, p99Us: 160 })
  expect(part('server proxy')).toMatchObject({ p50Us: null })
  // Five of six ways.
  latency('client').client.wire = of(100, 10_000, 11_000)
  for (const proxy of ['client-proxy', 'server-proxy'].map(latency)) {
    proxy.server.wire = of(100, 10_000, 11_000)
    proxy.client.wire = of(100, 10_000, 11_000)
  }
  expect(part('wire')).toMatchObject({ p50Us: null, p99Us: null })
  latency('app').server.wire = of(100, 20_000, 21_000)
  expect(part('wire')?.p50Us).toBeCloseTo(10.6, 6)
  expect(part('wire')?.p99Us).toBeCloseTo(20.94, 6)
})

test('where both ends tell when they sent and were reached, the wire is what lies between', () => {
  const report = recorded('direct')
  const [client, app] = ['client', 'app'].map((name) => report.targets.find((target) => target.name === name)?.latency)
  if (client === undefined || app === undefined) throw new Error('both are recorded')
  // Means: 12 µs there, 7 µs back, and at each end what was recorded.
  const mean = (histogram: { sum: number; count: number } | null): number =>
    (histogram?.sum ?? Number.NaN) / client.client.turn.count
  const serverNs = mean(app.server.receiveQueue) + mean(app.server.turn)
  const sentNs = 1e9
  client.client.moments = { sentNs, readyNs: sentNs + 12_000 + serverNs + 7_000 }
  app.server.moments = { sentNs: sentNs + 12_000 + serverNs, readyNs: sentNs + 12_000 }
  app.server.turn.count = client.client.turn.count
  client.client.turn.sum = (19_000 + serverNs + mean(client.client.receiveQueue)) * client.client.turn.count
  const breakdown = breakDown(report, { client: 'client', app: 'app' })
  const part = (name: string) => breakdown.parts.find((each) => each.name === name)?.meanUs
  expect(part('wire')).toBeCloseTo(19, 6)
  expect(part('unexplained')).toBeCloseTo(0, 6)
  expect(breakdown.doubts).toEqual([])

  app.server.moments.readyNs = sentNs - 3_000
  expect(breakDown(report, { client: 'client', app: 'app' }).doubts).toContain(
    'a way took -3.0 µs: the ends of its hop did not see the same requests',
  )
  app.server.moments = null
  expect(breakDown(report, { client: 'client', app: 'app' }).parts.find(({ name }) => name === 'wire')?.meanUs).toBe(
    client.client.lowestRttUs,
  )
})

test('time that an app takes longer is in app alone', () => {
  const report = recorded('two-proxies')
  const extraNs =
    report.targets.reduce((most, target) => Math.max(most, target.latency?.client.turn.count ?? 0), 0) * 100_000
  const slower = structuredClone(report)
  for (const target of slower.targets) {
    if (target.latency === undefined) continue
    // What every one of them waits for, or works on, becomes longer by 0.1 ms a request.
    for (const role of [target.latency.client, target.latency.server]) if (role.turn.count > 0) role.turn.sum += extraNs
  }
  const [before, after] = [breakDown(report, twoProxies), breakDown(slower, twoProxies)]
  const changes = after.parts.map((part, index) => [
    part.name,
    Math.round(part.meanUs - (before.parts[index]?.meanUs ?? 0)),
  ])
  expect(Object.fromEntries(changes)).toEqual({
    app: 100,
    'client proxy': 0,
    'server proxy': 0,
    'kernel queues': 0,
    wire: 0,
    unexplained: 0,
  })
})

test('a target that is not there, or saw nothing, is an error', () => {
  const report = recorded('direct')
  expect(() => breakDown(report, { client: 'client', app: 'nobody' })).toThrowErrorMatchingInlineSnapshot(
    `[Error: The probes' report has no latency of nobody; it has client, app.]`,
  )
  expect(() => breakDown(report, { client: 'app', app: 'client' })).toThrowErrorMatchingInlineSnapshot(
    `[Error: app made no request as a client while the probes watched.]`,
  )
})
