import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'e2e',
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/e2e/**/*.test.ts'],
    globalSetup: [fileURLToPath(new URL('./harness/packed-project.ts', import.meta.url))],
    // Two labs at once would measure each other: the second waits.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // A whole `vitest bench` is stopped on the way out.
    teardownTimeout: 30_000,
  },
})
