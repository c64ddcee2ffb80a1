import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { meshmark } from 'meshmark'
import { defineConfig } from 'vitest/config'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Of the script that starts it: the project's own results stay as they are. */
const output = process.env['MESHMARK_RESOURCES_OUTPUT']

/** The bench whose memory is read: as users have it, with a record of its own. */
export default defineConfig({
  plugins: [meshmark({ gate: false, ...(output === undefined ? {} : { outputDir: relative(root, output) }) })],
  root,
  test: {
    include: [],
    benchmark: { include: ['test/accuracy/resources.bench.ts'] },
  },
})
