import { expect, test } from 'vitest'
import { explain } from './explain.ts'
import { sampleComparison, sampleOverhead, sampleRecord } from './testdata/sample-record.ts'
import { interruptedRun, threeMeshRun } from './testdata/sample-runs.ts'

test('three meshes: a pass, a fail, an inconclusive and what would decide it', () => {
  expect(explain(threeMeshRun())).toMatchInlineSnapshot(`
    " meshmark   lab · 2 CPUs · Linux 6.18.4 · Envoy 1.40.0 · seed 7f3a · 4 min 12 s
     The lab's cilium and istio are stand-ins (docs/lab.md): their kind and order of cost, not the
     products'.
     noise floor (baseline against itself)
       HTTP through the mesh   p50 ±0.2 %   p90 ±1.5 %   p99 ±3.8 %   mean ±0.5 %   cpu ±1.0 %
       HTTP throughput         throughput ±1.4 %

    baseline › HTTP through the mesh   bench/overhead.bench.ts, plan paired

      p50 of baseline again against baseline: pass (< 1 %)
        The estimate is 0.0 % [−0.2, +0.2] (67.1 µs → 67.1 µs), a difference of 0.02 µs [−0.11 µs,
        0.15 µs]. The decision bounds [−0.3, +0.3] % lie under a budget of 1 %. Measured: 48 valid
        blocks, worth 41 independent ones, in 15 s of measuring: the precision was reached at look 2 of
        4. This row is the noise floor: the baseline against itself.

      Not judged, baseline again against baseline: p90 +0.4 % [−0.7, +1.5]; p99 −0.4 % [−3.8, +3.0];
        mean +0.1 % [−0.3, +0.5]; cpu −0.1 % [−1.0, +0.8].

      The arms are alike in every trait that was checked. No drift. The load agent took 31.4 µs of CPU a
      request, 62 % of one CPU: no invalid blocks.

    baseline › HTTP throughput   bench/overhead.bench.ts, plan saturate

      Not judged, baseline again against baseline: throughput +0.2 % [−1.0, +1.4].

      The arms are alike in every trait that was checked. No drift. The load agent took 31.4 µs of CPU a
      request, 62 % of one CPU: no invalid blocks.

    cilium › HTTP through the mesh   bench/overhead.bench.ts, plan paired

      p50 of cilium (lab) against baseline: pass (< 1 %)
        The estimate is −1.0 % [−1.2, −0.7] (67.4 µs → 66.5 µs), a difference of −0.64 µs [−0.81 µs,
        −0.47 µs]. The decision bounds [−1.3, −0.6] % lie under a budget of 1 %. Measured: 48 valid
        blocks, worth 41 independent ones, in 15 s of measuring: the precision was reached at look 2 of
        4. The noise floor for p50 is ±0.2 %.

      p99 of cilium (lab) against baseline: inconclusive (< 3 %)
        The estimate is +2.1 % [−2.0, +6.2] (131 µs → 130 µs), a difference of 1.41 µs [−1.34 µs,
        4.16 µs]. The decision bounds [−3.6, +7.8] % lie on both sides of a budget of 3 %. Measured: 48
        valid blocks, worth 41 independent ones, in 15 s of measuring: the precision was reached at look
        2 of 4. The noise floor for p99 is ±3.8 %, wider than the budget as long as it was measured.
        About 70 s more would decide it: give the load { cap: '85s' } and a smaller precision.

      Not judged, cilium (lab) against baseline: p90 −0.4 % [−1.3, +0.5]; mean −0.05 % [−0.16, +0.06];
        cpu +2.3 % [+1.1, +3.5].

      The arms are alike in every trait that was checked. No drift. The load agent took 31.4 µs of CPU a
      request, 62 % of one CPU: no invalid blocks.

    cilium › HTTP throughput   bench/overhead.bench.ts, plan saturate

      Not judged, cilium (lab) against baseline: throughput −0.5 % [−1.8, +0.7].

      The arms are alike in every trait that was checked. No drift. The load agent took 31.4 µs of CPU a
      request, 62 % of one CPU: no invalid blocks.

    istio › HTTP through the mesh   bench/overhead.bench.ts, plan paired

      p50 of istio (lab) against baseline: pass (< 900 %)
        The estimate is +668 % [+656, +681] (67.1 µs → 515 µs), a difference of 448 µs [440 µs, 457 µs].
        The decision bounds [+651, +686] % lie under a budget of 900 %. Measured: 48 valid blocks, worth
        41 independent ones, in 15 s of measuring: the precision was reached at look 2 of 4. The noise
        floor for p50 is ±0.2 %.

      p99 of istio (lab) against baseline: fail (< 500 %)
        The estimate is +694 % [+614, +774] (131 µs → 1,004 µs), a difference of 466 µs [412 µs,
        519 µs]. The decision bounds [+582, +806] % lie over a budget of 500 %. Measured: 48 valid
        blocks, worth 41 independent ones, in 15 s of measuring: the precision was reached at look 2 of
        4. The noise floor for p99 is ±3.8 %.

      cpu of istio (lab) against baseline: pass (< 1,500 % or 20 µs)
        The estimate is +1,170 % [+1,130, +1,210] (18.1 µs → 231 µs), a difference of 785 µs [758 µs,
        812 µs]. The decision bounds [+1,114, +1,226] % lie under a budget of 1,500 % or 20 µs.
        Measured: 48 valid blocks, worth 41 independent ones, in 15 s of measuring: the precision was
        reached at look 2 of 4. The noise floor for cpu is ±1.0 %.

      Not judged, istio (lab) against baseline: p90 +671 % [+640, +702]; mean +660 % [+646, +674];
        memory +210 %.

      The arms differ in mtls (baseline false, istio true). baseline drifted by +2.1 % a minute (p
      0.003). The load agent took 31.4 µs of CPU a request, 62 % of one CPU: 2 of 3 blocks invalid and
      not counted. Warning: the load agent waited for a CPU in 2 blocks (12 % of the block).

    istio › HTTP throughput   bench/overhead.bench.ts, plan saturate

      Not judged, istio (lab) against baseline: throughput +84.4 % [+83.2, +85.6].

      The arms are alike in every trait that was checked. No drift. The load agent took 31.4 µs of CPU a
      request, 62 % of one CPU: no invalid blocks.

    Intervals are 95 %; positive is dearer. Outcomes are decided by two one-sided 99 % bounds with the
    error spent over the looks: pass if the upper one is inside the budget, fail if the lower one is
    over it, else inconclusive.
    "
  `)
})

test('an interrupted run', () => {
  expect(explain(interruptedRun())).toMatchInlineSnapshot(`
    " meshmark   lab · 2 CPUs · Linux 6.18.4 · Envoy 1.40.0 · seed 7f3a · 9.1 s
     PARTIAL: the run was interrupted; this is what was measured until then.
     The lab's istio is a stand-in (docs/lab.md): its kind and order of cost, not the product's.
     noise floor   not measured in this run: project baseline compares the baseline with itself

     problem: baseline: no comparison: the run ended before it

    istio › HTTP through the mesh   bench/overhead.bench.ts, plan paired

      p50 of istio (lab) against baseline: inconclusive (< 900 %)
        There is no estimate: the arms differ in cpuSet: server 1 against 0-1. Measured: 9 valid blocks,
        in 2.8 s of measuring: it was aborted. More time would not decide it: remove what stands in the
        way, quieten the machine, or widen the budget.

      Not judged, istio (lab) against baseline: p99 needs 10,000 samples an arm, has 4,200: about 21 s
        more.

      The arms differ in cpuSet (baseline 1, istio 0-1), which forbids any verdict. Drift was not
      tested. The load agent took 31.4 µs of CPU a request, 62 % of one CPU: no invalid blocks.

    Intervals are 95 %; positive is dearer. Outcomes are decided by two one-sided 99 % bounds with the
    error spent over the looks: pass if the upper one is inside the budget, fail if the lower one is
    over it, else inconclusive.
    "
  `)
})

test('an absolute floor, a claim, and a budget below the noise floor', () => {
  const again = { arm: 'baseline again' }
  const control = sampleComparison('baseline', { overheads: [sampleOverhead('p50', 0.001, 0.018, again)] })
  const istio = sampleComparison('istio', {
    overheads: [
      sampleOverhead('p50', 0.05, 0.004, {
        outcome: 'pass',
        budget: { relative: 0.03, atLeastUs: 20 },
        claim: 'below',
      }),
      sampleOverhead('p50', 0.05, 0.004, { outcome: 'fail', budget: { relative: 0 }, claim: 'faster' }),
      sampleOverhead('p50', 0.008, 0.009, { outcome: 'inconclusive', budget: { relative: 0.01 }, claim: 'below' }),
    ],
  })
  expect(explain(sampleRecord([control, istio]))).toMatchInlineSnapshot(`
    " meshmark   lab · 2 CPUs · Linux 6.18.4 · Envoy 1.40.0 · seed 7f3a · 4 min 12 s
     The lab's istio is a stand-in (docs/lab.md): its kind and order of cost, not the product's.
     noise floor (baseline against itself)   p50 ±1.9 %

    baseline › HTTP through the mesh   bench/overhead.bench.ts, plan paired

      Not judged, baseline again against baseline: p50 +0.1 % [−1.7, +1.9].

      The arms are alike in every trait that was checked. No drift. The load agent took 31.4 µs of CPU a
      request, 62 % of one CPU: no invalid blocks.

    istio › HTTP through the mesh   bench/overhead.bench.ts, plan paired

      p50 of istio (lab) against baseline: pass (< 3 % or 20 µs)
        The estimate is +5.0 % [+4.6, +5.4] (67.1 µs → 515 µs), a difference of 3.36 µs [3.09 µs,
        3.62 µs]. The decision bounds [+4.4, +5.6] % are not under the share, but the difference is
        under 20.0 µs. Measured: 48 valid blocks, worth 41 independent ones, in 15 s of measuring: the
        precision was reached at look 2 of 4. The noise floor for p50 is ±1.9 %.

      p50 of istio (lab) against baseline: fail (faster)
        The estimate is +5.0 % [+4.6, +5.4] (67.1 µs → 515 µs), a difference of 3.36 µs [3.09 µs,
        3.62 µs]. The decision bounds [+4.4, +5.6] % lie over 0. Measured: 48 valid blocks, worth 41
        independent ones, in 15 s of measuring: the precision was reached at look 2 of 4. The noise
        floor for p50 is ±1.9 %.

      p50 of istio (lab) against baseline: inconclusive (< 1 %)
        The estimate is +0.8 % [−0.1, +1.7] (67.1 µs → 515 µs), a difference of 0.54 µs [−0.07 µs,
        1.14 µs]. The decision bounds [−0.5, +2.1] % lie on both sides of a budget of 1 %. Measured: 48
        valid blocks, worth 41 independent ones, in 15 s of measuring: the precision was reached at look
        2 of 4. The noise floor for p50 is ±1.9 %: the whole interval lies within noise. More time would
        not decide it: remove what stands in the way, quieten the machine, or widen the budget.

      The arms are alike in every trait that was checked. No drift. The load agent took 31.4 µs of CPU a
      request, 62 % of one CPU: no invalid blocks.

    Intervals are 95 %; positive is dearer. Outcomes are decided by two one-sided 99 % bounds with the
    error spent over the looks: pass if the upper one is inside the budget, fail if the lower one is
    over it, else inconclusive.
    "
  `)
})

test('a record without comparisons', () => {
  expect(explain(sampleRecord([]))).toMatchInlineSnapshot(`
    " meshmark   lab · 2 CPUs · Linux 6.18.4 · Envoy 1.40.0 · seed 7f3a · 4 min 12 s

    Nothing was measured.

    Intervals are 95 %; positive is dearer. Outcomes are decided by two one-sided 99 % bounds with the
    error spent over the looks: pass if the upper one is inside the budget, fail if the lower one is
    over it, else inconclusive.
    "
  `)
})
