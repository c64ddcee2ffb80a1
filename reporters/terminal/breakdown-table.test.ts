import { expect, test } from 'vitest'
import { sampleExplanation } from '../testdata/sample-explanation.ts'
import { sampleComparison, sampleRecord } from '../testdata/sample-record.ts'
import { headline } from '../headline.ts'
import { breakdownTable } from './breakdown-table.ts'
import { plain } from './paint.ts'

const rendered = (...explanations: Parameters<typeof sampleExplanation>[]): string =>
  breakdownTable(
    sampleRecord([sampleComparison('istio', { explanations: explanations.map((each) => sampleExplanation(...each)) })]),
    110,
    plain,
  )
    .map((line) => line.replaceAll('\u00a0', ' ').trimEnd())
    .join('\n')

test('parts that add up for each arm, what the mesh adds, and what the probes say of themselves', () => {
  expect(`\n${rendered(['baseline'], ['istio'])}`).toMatchInlineSnapshot(`
    "
     istio › HTTP through the mesh, µs            whole     app   client proxy   server proxy   kernel queues   wire   unexplained
     baseline                           mean       80.0    16.0              –              –            44.0   21.0         −1.00
                                        own p50    72.0    12.8              –              –               –      –             –
                                        own p99   160.0    48.0              –              –               –      –             –
     istio (lab)                        mean      640.0    40.0          180.0          170.0           180.0   60.0          10.0
                                        own p50   576.0    32.0              –              –               –      –             –
                                        own p99   1,280   120.0              –              –               –      –             –
     own p50 and p99: the part's own, which do not add up; of kernel queues they are of one wait in one socket, of
       wire of one way, of which a request has two for each hop
     where istio (lab)'s +560.0 µs of the mean go: client proxy +180.0 · server proxy +170.0 ·
       kernel queues +136.0 · wire +39.0 · app +24.0 · unexplained +11.0
     · baseline: probes attached after the measuring, 3,000 requests; no packet dropped; 8 connections opened, 0
       failed, 99.73 % of requests on a used one; probes' own cost 1.27 µs a request, 2.0 MB of maps, nothing lost
     · istio (lab): probes attached after the measuring, 3,000 requests; no packet dropped; 8 connections opened,
       0 failed, 99.73 % of requests on a used one; probes' own cost 1.27 µs a request, 2.0 MB of maps, nothing
       lost
    "
  `)
})

test('without the latency probe there are sentences, and lost events stand out', () => {
  expect(
    `\n${rendered(['istio', { breakdown: null, probes: ['drops'], connections: null, lost: 4, attached: 'throughout' }])}`,
  ).toMatchInlineSnapshot(`
    "
     istio › HTTP through the mesh
     · istio (lab): probes attached throughout: the overheads hold their cost; 3,000 requests; no packet dropped;
       probes' own cost 1.27 µs a request, 2.0 MB of maps, 4 events LOST
    "
  `)
})

test('nothing where nothing was watched', () => {
  expect(breakdownTable(sampleRecord([sampleComparison('istio')]), 110, plain)).toEqual([])
})

test('what was measured to be explained only is no row of the headline', () => {
  const explained = sampleComparison('istio', { explanations: [sampleExplanation('istio')] })
  expect(headline(sampleRecord([explained]))).toEqual([])
  expect(headline(sampleRecord([sampleComparison('istio')]))).toHaveLength(1)
})
