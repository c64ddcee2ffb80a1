/**
 * What the data path costs a packet of an established flow under a policy, by the kernel's statistics (their own two clock reads and the call
 * included): one connection that asks and waits, where other work takes the caches in between, and 16 that keep the machine busy.
 * `npm run bench:packets -- --rounds 7`
 */
import { median } from '../../measure/statistics/quantile.ts'
import type { HttpOptions } from '../../measure/load-options.ts'
import { packageRoot } from '../../measure/package-root.ts'
import { arm, measure, withLab } from './lab-arms.ts'
import { numberOptions } from './options.ts'

const POLICY = `${packageRoot()}/manifests/policies/l3-l4.yaml`
const LOADS: Readonly<Record<string, HttpOptions>> = {
  'one connection, a request at a time': { precision: '0.0001%', cap: '1s' },
  '16 connections, saturated': { plan: 'saturate', connections: 16, precision: '0.0001%', cap: '1s' },
}
const { rounds } = numberOptions({ rounds: 7 })

await withLab(async (lab) => {
  const pod = await lab.deploy('cilium', 'http-echo')
  await using _policy = { [Symbol.asyncDispose]: (await lab.enforce('cilium', [pod], POLICY)).remove }
  const seen = new Map(Object.keys(LOADS).map((load) => [load, new Map<string, number[]>()]))
  for (let round = 0; round < rounds; round++) {
    for (const [load, options] of Object.entries(LOADS)) {
      const { kernel } = await measure([arm(lab, 'guarded', [pod], options)], `packets/${round}`)
      for (const { program, nsPerRun } of kernel.get('guarded')?.programs ?? []) {
        const figures = seen.get(load)?.get(program) ?? []
        seen.get(load)?.set(program, [...figures, nsPerRun])
      }
    }
  }
  for (const [load, programs] of seen) {
    for (const [program, figures] of programs) {
      console.log(
        `${load}: ${program} ${median([...figures]).toFixed(0)} ns a packet (${Math.min(...figures).toFixed(0)} to ${Math.max(...figures).toFixed(0)} in ${figures.length} rounds)`,
      )
    }
  }
  pod.remove()
}, 'cilium')
