import { meshmark } from 'meshmark'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [
    meshmark({
      // Set from measured values with a margin (docs/budgets.md): green when nothing got dearer, red when something did.
      meshes: {
        // The baseline against itself: what the machine's noise may be.
        baseline: {
          budgets: {
            http: '3%',
            'http cpu': '60%',
            'http throughput': '50%',
            'new connection': '400%',
            'payload 1 KB': '5%',
            'payload 64 KB': '5%',
            'policy by netfilter': '60%',
          },
        },
        cilium: {
          budgets: {
            // The eBPF path is no dearer than the baseline's plain routing.
            http: '0.5%',
            'http cpu': '60%',
            'http throughput': '50%',
            'new connection': '400%',
            'payload 1 KB': '5%',
            'payload 64 KB': '10%',
            'policy l3-l4': '1%',
            'policy l3-l4 throughput': '30%',
            'policy l7': '700%',
            'policy scale': '5%',
          },
        },
        istio: {
          budgets: {
            http: '700%',
            'http cpu': '1500%',
            'http throughput': '97%',
            'new connection': '200%',
            'payload 1 KB': '700%',
            'payload 64 KB': '600%',
          },
        },
      },
    }),
  ],
  test: {
    include: ['{fixtures,measure,probes/client,probes/kernels,reporters,setup}/**/*.test.{ts,mjs}'],
    // The suites check behaviour; what they start must not run beside a second lab.
    fileParallelism: false,
    // Real processes and kernels on a machine that may be busy; what hangs is still found.
    testTimeout: 30_000,
    benchmark: { include: ['bench/**/*.bench.ts'] },
  },
})
