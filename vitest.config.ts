import { meshmark } from 'meshmark'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [
    meshmark({
      // Set from measured values with a margin (docs/budgets.md): green when nothing got dearer, red when something did.
      meshes: {
        baseline: { budgets: { 'new connection': '400%' } },
        istio: {
          budgets: {
            http: '900%',
            'http cpu': '1500%',
            'http throughput': '95%',
            'new connection': '400%',
            'payload 1 KB': '900%',
            'payload 64 KB': '900%',
          },
        },
      },
    }),
  ],
  test: {
    include: ['{fixtures,measure,reporters,setup}/**/*.test.{ts,mjs}'],
    // The suites check behaviour; what they start must not run beside a second lab.
    fileParallelism: false,
    benchmark: { include: ['bench/**/*.bench.ts'] },
  },
})
