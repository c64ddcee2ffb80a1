import { expect, test } from 'vitest'
import { comparisonsWithoutBaseline, interruptedRun, payloadRun, threeMeshRun } from '../testdata/sample-runs.ts'
import { sampleComparison, sampleOverhead, sampleRecord } from '../testdata/sample-record.ts'
import { coloured } from './paint.ts'
import { terminalReport } from './report.ts'
import { textWidth } from './text.ts'

test('three meshes at 160 columns: every table in one piece', () => {
  expect(terminalReport(threeMeshRun(), { columns: 160 })).toMatchInlineSnapshot(`
    "
     meshmark   lab · 2 CPUs · Linux 6.18.4 · Envoy 1.40.0 · seed 7f3a · 4 min 12 s
     The lab's cilium and istio are stand-ins (docs/lab.md): their kind and order of cost, not the products'.
     noise floor (baseline against itself)
       HTTP through the mesh   p50 ±0.2 %   p90 ±1.5 %   p99 ±3.8 %   mean ±0.5 %   cpu ±1.0 %
       HTTP throughput         throughput ±1.4 %

     overhead         req/s      avg      p50      p95      p99           cpu/request             memory    sidecars   p50 against baseline
                                  µs       µs       µs       µs        app       mesh      data  control
     baseline        31,200     71.1     67.1     88.6    130.8    18.1 µs          –         –        –           0   reference
     cilium (lab)    31,380     70.5     66.5     87.8    129.7    18.1 µs    0.42 µs     11 MB        –           0   −1.0 % [−1.2, −0.7]    pass  < 1 %
     istio (lab)      4,870    545.9    515.0    679.8    1,004    19.2 µs     212 µs    130 MB        –           2   +668 % [+656, +681]    pass  < 900 %
     control plane: none in the lab · each overhead is against the baseline measured beside that mesh

     95 % intervals; positive is dearer; ~ no clear difference; values are each arm's own, estimates are of pairs
     baseline › HTTP through the mesh   baseline again against baseline
       p50    67.1 µs → 67.1 µs   0.0 % [−0.2, +0.2]    n=48 blocks   pass (< 1 %)
       p90    81.9 µs → 81.9 µs   +0.4 % [−0.7, +1.5]   n=48 blocks   ~
       p99    131 µs → 131 µs     −0.4 % [−3.8, +3.0]   n=48 blocks   ~
       mean   71.1 µs → 71.1 µs   +0.1 % [−0.3, +0.5]   n=48 blocks   ~
       cpu    18.1 µs → 18.1 µs   −0.1 % [−1.0, +0.8]   n=48 blocks   ~

     baseline › HTTP throughput   baseline again against baseline
       throughput   31,200 /s → 31,150 /s   +0.2 % [−1.0, +1.4]   n=24 blocks   ~

     cilium › HTTP through the mesh   cilium (lab) against baseline
       p50    67.4 µs → 66.5 µs   −1.0 % [−1.2, −0.7]      n=48 blocks   pass (< 1 %)
       p90    82.2 µs → 81.1 µs   −0.4 % [−1.3, +0.5]      n=48 blocks   ~  within noise
       p99    131 µs → 130 µs     +2.1 % [−2.0, +6.2]      n=48 blocks   inconclusive (< 3 %)
       mean   71.4 µs → 70.5 µs   −0.05 % [−0.16, +0.06]   n=48 blocks   ~  within noise
       cpu    18.1 µs → 18.5 µs   +2.3 % [+1.1, +3.5]      n=48 blocks

     cilium › HTTP throughput   cilium (lab) against baseline
       throughput   31,200 /s → 31,380 /s   −0.5 % [−1.8, +0.7]   n=24 blocks   ~

     istio › HTTP through the mesh   istio (lab) against baseline
       p50      67.1 µs → 515 µs    +668 % [+656, +681]         n=48 blocks   pass (< 900 %)
       p90      81.9 µs → 628 µs    +671 % [+640, +702]         n=48 blocks
       p99      131 µs → 1,004 µs   +694 % [+614, +774]         n=48 blocks   fail (< 500 %)
       mean     71.1 µs → 546 µs    +660 % [+646, +674]         n=48 blocks
       cpu      18.1 µs → 231 µs    +1,170 % [+1,130, +1,210]   n=48 blocks   pass (< 1,500 % or 20 µs)
       memory   62 MB → 192 MB      +210 %                      n=48 blocks

     istio › HTTP throughput   istio (lab) against baseline
       throughput   31,200 /s → 4,870 /s   +84.4 % [+83.2, +85.6]   n=24 blocks

     · istio › HTTP through the mesh: the arms differ in mtls (baseline false, istio true)
     ! istio › HTTP through the mesh: 2 of 3 blocks are invalid and not counted
     ! istio › HTTP through the mesh: generator: the load agent waited for a CPU in 2 blocks (12 % of the block)
     ! istio › HTTP through the mesh: baseline drifted dearer by +2.1 % a minute while it was measured

     fail  istio › HTTP through the mesh: istio (lab) against baseline, p99 +694 % [+614, +774] is over a budget of 500 %
     inconclusive  cilium › HTTP through the mesh: cilium (lab) against baseline, p99 +2.1 % [−2.0, +6.2] does not decide a budget of 3 %: about 70 s more would
       decide it
     4 pass · 1 fail · 1 inconclusive · gate: inconclusive fails
     why: npx meshmark explain meshmark-results/record.json
    "
  `)
})

test('three meshes at 120 columns: the overhead before what it costs', () => {
  expect(headlineOf(terminalReport(threeMeshRun(), { columns: 120 }))).toMatchInlineSnapshot(`
    "

     overhead         req/s      avg      p50      p95      p99   p50 against baseline
                                  µs       µs       µs       µs
     baseline        31,200     71.1     67.1     88.6    130.8   reference
     cilium (lab)    31,380     70.5     66.5     87.8    129.7   −1.0 % [−1.2, −0.7]    pass  < 1 %
     istio (lab)      4,870    545.9    515.0    679.8    1,004   +668 % [+656, +681]    pass  < 900 %

     overhead               cpu/request             memory    sidecars
                         app       mesh      data  control
     baseline        18.1 µs          –         –        –           0
     cilium (lab)    18.1 µs    0.42 µs     11 MB        –           0
     istio (lab)     19.2 µs     212 µs    130 MB        –           2
     control plane: none in the lab · each overhead is against the baseline measured beside that mesh

    "
  `)
})

test('three meshes at 80 columns: three tables below each other', () => {
  expect(terminalReport(threeMeshRun(), { columns: 80 })).toMatchInlineSnapshot(`
    "
     meshmark   lab · 2 CPUs · Linux 6.18.4 · Envoy 1.40.0 · seed 7f3a · 4 min 12 s
     The lab's cilium and istio are stand-ins (docs/lab.md): their kind and order of
     cost, not the products'.
     noise floor (baseline against itself)
       HTTP through the mesh   p50 ±0.2 %   p90 ±1.5 %   p99 ±3.8 %   mean ±0.5 %
       cpu ±1.0 %
       HTTP throughput         throughput ±1.4 %

     overhead         req/s      avg      p50      p95      p99
                                  µs       µs       µs       µs
     baseline        31,200     71.1     67.1     88.6    130.8
     cilium (lab)    31,380     70.5     66.5     87.8    129.7
     istio (lab)      4,870    545.9    515.0    679.8    1,004

     overhead       p50 against baseline
     baseline       reference
     cilium (lab)   −1.0 % [−1.2, −0.7]    pass  < 1 %
     istio (lab)    +668 % [+656, +681]    pass  < 900 %

     overhead               cpu/request             memory    sidecars
                         app       mesh      data  control
     baseline        18.1 µs          –         –        –           0
     cilium (lab)    18.1 µs    0.42 µs     11 MB        –           0
     istio (lab)     19.2 µs     212 µs    130 MB        –           2
     control plane: none in the lab · each overhead is against the baseline measured
     beside that mesh

     95 % intervals; positive is dearer; ~ no clear difference; values are each
     arm's own, estimates are of pairs
     baseline › HTTP through the mesh   baseline again against baseline
       p50   67.1 µs → 67.1 µs  0.0 % [−0.2, +0.2]   n=48  pass (< 1 %)
       p90   81.9 µs → 81.9 µs  +0.4 % [−0.7, +1.5]  n=48  ~
       p99   131 µs → 131 µs    −0.4 % [−3.8, +3.0]  n=48  ~
       mean  71.1 µs → 71.1 µs  +0.1 % [−0.3, +0.5]  n=48  ~
       cpu   18.1 µs → 18.1 µs  −0.1 % [−1.0, +0.8]  n=48  ~

     baseline › HTTP throughput   baseline again against baseline
       throughput  31,200 /s → 31,150 /s  +0.2 % [−1.0, +1.4]  n=24  ~

     cilium › HTTP through the mesh   cilium (lab) against baseline
       p50   67.4 µs → 66.5 µs  −1.0 % [−1.2, −0.7]     n=48  pass (< 1 %)
       p90   82.2 µs → 81.1 µs  −0.4 % [−1.3, +0.5]     n=48  ~  within noise
       p99   131 µs → 130 µs    +2.1 % [−2.0, +6.2]     n=48  inconclusive (< 3 %)
       mean  71.4 µs → 70.5 µs  −0.05 % [−0.16, +0.06]  n=48  ~  within noise
       cpu   18.1 µs → 18.5 µs  +2.3 % [+1.1, +3.5]     n=48

     cilium › HTTP throughput   cilium (lab) against baseline
       throughput  31,200 /s → 31,380 /s  −0.5 % [−1.8, +0.7]  n=24  ~

     istio › HTTP through the mesh   istio (lab) against baseline
       p50     67.1 µs → 515 µs   +668 % [+656, +681]        n=48  pass (< 900 %)
       p90     81.9 µs → 628 µs   +671 % [+640, +702]        n=48
       p99     131 µs → 1,004 µs  +694 % [+614, +774]        n=48  fail (< 500 %)
       mean    71.1 µs → 546 µs   +660 % [+646, +674]        n=48
       cpu     18.1 µs → 231 µs   +1,170 % [+1,130, +1,210]  n=48
            pass (< 1,500 % or 20 µs)
       memory  62 MB → 192 MB     +210 %                     n=48

     istio › HTTP throughput   istio (lab) against baseline
       throughput  31,200 /s → 4,870 /s  +84.4 % [+83.2, +85.6]  n=24

     · istio › HTTP through the mesh: the arms differ in mtls (baseline false, istio
       true)
     ! istio › HTTP through the mesh: 2 of 3 blocks are invalid and not counted
     ! istio › HTTP through the mesh: generator: the load agent waited for a CPU in
       2 blocks (12 % of the block)
     ! istio › HTTP through the mesh: baseline drifted dearer by +2.1 % a minute
       while it was measured

     fail  istio › HTTP through the mesh: istio (lab) against baseline, p99 +694 %
       [+614, +774] is over a budget of 500 %
     inconclusive  cilium › HTTP through the mesh: cilium (lab) against baseline,
       p99 +2.1 % [−2.0, +6.2] does not decide a budget of 3 %: about 70 s more
       would decide it
     4 pass · 1 fail · 1 inconclusive · gate: inconclusive fails
     why: npx meshmark explain meshmark-results/record.json
    "
  `)
})

test('an interrupted run says that it is partial, and why nothing is resolved', () => {
  expect(terminalReport(interruptedRun(), { columns: 120 })).toMatchInlineSnapshot(`
    "
     meshmark   lab · 2 CPUs · Linux 6.18.4 · Envoy 1.40.0 · seed 7f3a · 9.1 s
     PARTIAL: the run was interrupted; this is what was measured until then.
     The lab's istio is a stand-in (docs/lab.md): its kind and order of cost, not the product's.
     noise floor   not measured in this run: project baseline compares the baseline with itself

     overhead       req/s      avg      p50      p95    p99   p50 against baseline
                                µs       µs       µs     µs
     baseline           –     71.1     67.1     88.6      –   reference
     istio (lab)        –    545.9    515.0    679.8      –   unresolved             inconclusive  < 900 %

     overhead             cpu/request             memory    sidecars
                        app      mesh      data  control
     baseline       18.1 µs         –         –        –           0
     istio (lab)    19.2 µs    212 µs    130 MB        –           2
     control plane: none in the lab · req/s –: not measured (plan 'saturate') · p99 –: under 10,000 samples an arm

     95 % intervals; positive is dearer; ~ no clear difference; values are each arm's own, estimates are of pairs
     istio › HTTP through the mesh   istio (lab) against baseline
       p50   67.1 µs → 515 µs   unresolved   n=9 blocks   inconclusive (< 900 %)
            the arms differ in cpuSet: server 1 against 0-1
       p99                      unresolved   n=9 blocks
            needs 10,000 samples an arm, has 4,200: about 21 s more

     ! istio › HTTP through the mesh: NOT COMPARABLE: the arms differ in cpuSet (baseline 1, istio 0-1): no overhead is
       resolved
     ! istio › HTTP through the mesh: aborted after 2.8 s of measuring

     problem  baseline: no comparison: the run ended before it
     inconclusive  istio › HTTP through the mesh: istio (lab) against baseline, p50 is not resolved, a budget of 900 % not
       decided: the arms differ in cpuSet: server 1 against 0-1
     1 inconclusive · no gate: inconclusive only warns
     why: npx meshmark explain meshmark-results/record.json
    "
  `)
})

test('comparisons without a baseline arm have no headline table', () => {
  expect(terminalReport(comparisonsWithoutBaseline(), { columns: 120 })).toMatchInlineSnapshot(`
    "
     meshmark   lab · 2 CPUs · Linux 6.18.4 · Envoy 1.40.0 · seed 7f3a · 4 min 12 s
     The lab's cilium and istio are stand-ins (docs/lab.md): their kind and order of cost, not the products'.
     noise floor   not measured in this run: project baseline compares the baseline with itself

     95 % intervals; positive is dearer; ~ no clear difference; values are each arm's own, estimates are of pairs
     versus › Cilium answers sooner than Istio   cilium (lab) against istio (lab)
       p50    515 µs → 67.1 µs   −87.0 % [−87.4, −86.6]   n=48 blocks   pass (faster)
       mean   546 µs → 71.1 µs   −86.0 % [−86.6, −85.4]   n=48 blocks

     cilium › policies   L3/L4 policy (lab) against open (lab)
       p50   67.1 µs → 67.1 µs   +0.3 % [0.0, +0.6]   n=48 blocks   pass (< 3 %)

     cilium › policies   L7 policy (lab) against open (lab)
       p50   67.1 µs → 168 µs   +151 % [+148, +155]   n=48 blocks   pass (< 200 %)

     3 pass
     why: npx meshmark explain meshmark-results/record.json
    "
  `)
})

test('two tests of one spec share their columns', () => {
  expect(headlineOf(terminalReport(payloadRun(), { columns: 160 }))).toMatchInlineSnapshot(`
    "

     payload           req/s      avg      p50      p95      p99          cpu/request             memory    sidecars   p50 against baseline
                                   µs       µs       µs       µs        app      mesh      data  control
     1 KB response
       baseline            –     71.1     67.1     88.6    130.8    18.1 µs         –         –        –           0   reference
       istio (lab)         –    546.2    515.3    680.2    1,005    19.2 µs    212 µs    130 MB        –           2   +668 % [+662, +674]    pass  < 900 %
     64 KB response
       baseline            –    201.8    190.4    251.3    371.3    18.1 µs         –         –        –           0   reference
       istio (lab)         –    991.0    934.9    1,234    1,823    19.2 µs    212 µs    130 MB        –           2   +391 % [+385, +397]
     control plane: none in the lab · each overhead is against the baseline measured beside that mesh · req/s –: not measured (plan 'saturate')

    "
  `)
})

test('a run without any comparison', () => {
  const record = { ...sampleRecord([], { problems: ['istio: no comparison: no spec ran in it'] }), environment: null }
  expect(terminalReport(record, { columns: 80 })).toMatchInlineSnapshot(`
    "
     meshmark   no environment on record · seed 7f3a · 4 min 12 s

     problem  istio: no comparison: no spec ran in it
     nothing was measured
     why: npx meshmark explain meshmark-results/record.json
    "
  `)
})

test.each([80, 120, 160])('no line is wider than %i columns', (columns) => {
  const lines = [threeMeshRun(), interruptedRun(), payloadRun(), comparisonsWithoutBaseline()]
    .flatMap((record) => terminalReport(record, { columns }).split('\n'))
    .filter((line) => textWidth(line) > columns)
  expect(lines).toEqual([])
})

test('colour changes nothing but the colour, and only a pass is green', () => {
  const [plainText, colouredText] = [{}, { paint: coloured }].map((options) => terminalReport(threeMeshRun(), options))
  // oxlint-disable-next-line no-control-regex
  const green = [...(colouredText ?? '').matchAll(/\u001b\[32m(.*?)\u001b/g)].map(([, text]) => text)
  expect(green).toMatchInlineSnapshot(`
    [
      "pass  < 1 %",
      "pass  < 900 %",
      "pass (< 1 %)",
      "pass (< 1 %)",
      "pass (< 900 %)",
      "pass (< 1,500 % or 20 µs)",
      "4 pass",
    ]
  `)
  // oxlint-disable-next-line no-control-regex
  expect((colouredText ?? '').replaceAll(/\u001b\[\d+m/g, '')).toBe(plainText)
})

test('a control that differs from itself is told', () => {
  const again = { arm: 'baseline again' }
  const overheads = [sampleOverhead('p50', 0.01, 0.002, again), sampleOverhead('p90', 0.01, 0.008, again)]
  const report = terminalReport(sampleRecord([sampleComparison('baseline', { overheads })]), { columns: 120 })
  expect(report).toMatchInlineSnapshot(`
    "
     meshmark   lab · 2 CPUs · Linux 6.18.4 · Envoy 1.40.0 · seed 7f3a · 4 min 12 s
     noise floor (baseline against itself)   p50 ±1.2 %   p90 ±1.8 %
     HTTP through the mesh: the baseline differs from itself in p50: differences of that size are noise

     overhead          req/s     avg     p50     p95      p99   p50 against baseline
                                  µs      µs      µs       µs
     baseline              –    71.1    67.1    88.6    130.8   reference
     baseline again        –    71.1    67.1    88.6    130.8   +1.0 % [+0.8, +1.2]

     overhead              cpu/request           memory    sidecars
                           app    mesh    data  control
     baseline          18.1 µs       –       –        –           0
     baseline again    18.1 µs       –       –        –           0
     control plane: none in the lab · req/s –: not measured (plan 'saturate')

     95 % intervals; positive is dearer; ~ no clear difference; values are each arm's own, estimates are of pairs
     baseline › HTTP through the mesh   baseline again against baseline
       p50   67.1 µs → 67.1 µs   +1.0 % [+0.8, +1.2]   n=48 blocks
       p90   81.9 µs → 81.9 µs   +1.0 % [+0.2, +1.8]   n=48 blocks

     nothing was judged: these specs state no budget
     why: npx meshmark explain meshmark-results/record.json
    "
  `)
})

/** From the first empty line to the row table. */
function headlineOf(report: string): string {
  const start = report.indexOf('\n\n')
  return report.slice(start, report.indexOf(' 95 % intervals'))
}
