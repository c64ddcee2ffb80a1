/** For tests: a real `vitest bench` with the reporter, over specs that carry invented comparisons. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ComparisonArtifact, TaskMetaMeshmark } from '../../measure/artifact.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** What a test of one project carries. */
export interface Carried {
  artifacts: ComparisonArtifact[]
  meta?: TaskMetaMeshmark
}

const SPEC = `
import { recordArtifact, test } from 'vitest'
import carried from './carried.json'
const mine = carried[__PROJECT__] ?? { artifacts: [] }
test('HTTP through the mesh', async ({ task }) => {
  for (const artifact of mine.artifacts) await recordArtifact(task, artifact)
  if (mine.meta) task.meta.meshmark = mine.meta
})
`

const CONFIG = `
const project = (name) => ({ extends: false, define: { __PROJECT__: JSON.stringify(name) },
  test: { name, benchmark: { include: ['*.bench.ts'] }, include: [] } })
export default { test: {
  projects: ['baseline', 'istio'].map(project),
  reporters: process.env.BLOB ? [['blob', { outputFile: process.env.BLOB }]] : [[${JSON.stringify(here('../comparison-reporter.ts'))}, { gate: true, outputDir: 'out' }]],
} }
`

/** What a run printed and how it ended. */
export interface Ran {
  code: number
  stdout: string
  stderr: string
}

/** A project folder with two benchmark projects, `baseline` and `istio`; gone when disposed of. */
export interface BenchFolder extends AsyncDisposable {
  path: string
  bench(args?: readonly string[], env?: Record<string, string>): Promise<Ran>
}

export async function benchFolder(carried: Record<string, Carried>): Promise<BenchFolder> {
  const path = await mkdtemp(join(tmpdir(), 'meshmark-reporter-'))
  await mkdir(join(path, 'blobs'))
  await symlink(here('../../node_modules'), join(path, 'node_modules'))
  await writeFile(join(path, 'package.json'), '{ "type": "module" }')
  await writeFile(join(path, 'vitest.config.js'), CONFIG)
  await writeFile(join(path, 'http.bench.ts'), SPEC)
  await writeFile(join(path, 'carried.json'), JSON.stringify(carried))
  const vitest = join(dirname(here('../../node_modules/vitest/package.json')), 'vitest.mjs')
  return {
    path,
    bench: (args = [], env = {}) =>
      new Promise((done) => {
        const options = { cwd: path, env: { PATH: process.env['PATH'], NO_COLOR: '1', CI: '1', ...env } }
        execFile(process.execPath, [vitest, 'bench', ...args], options, (error, stdout, stderr) => {
          done({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout, stderr })
        })
      }),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}
