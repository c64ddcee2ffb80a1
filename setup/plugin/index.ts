/// <reference types="vitest/config" />
/** The plugin: one project per mesh for `vitest bench`, nothing at all for `vitest run`. Runs in Vitest's main process. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Vite, VitestPluginContext } from 'vitest/node'
import type { PluginContext } from '../../measure/context.ts'
import { packageVersion } from '../../measure/package-root.ts'
import { runDirectory } from '../lab/run-dir.ts'
import { LAB_MESHES } from '../meshes.ts'
import { meshesOfThisMachine } from './available-meshes.ts'
import { assertSupportedNode } from './node-version.ts'
import { type MeshmarkOptions, resolveOptions } from './options.ts'
import { widenProjectFilter } from './project-filter.ts'
import { provideLabOptions, runState } from './run-state.ts'

export type { BudgetInput } from '../../measure/statistics/budget.ts'
export type { MeshmarkOptions, MeshOptions } from './options.ts'

const TEST_TIMEOUT_MS = 300_000
const HOOK_TIMEOUT_MS = 120_000

/**
 * A spec that is only for other meshes (`test.on`) leaves its file empty here; that nothing was measured at all is the
 * reporter's to say. Vitest 5.1 reads it of the project in the worker, though its types know it at the root only.
 */
const EMPTY_FILES_PASS: object = { passWithNoTests: true }

/** Files that Vitest loads by path: beside this one once built. */
const file = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url))

interface BenchModeConfig {
  benchmarkOnly?: boolean
  project?: string | string[]
  watch?: boolean
  root?: string
  projects?: unknown[]
  testTimeout?: number
  hookTimeout?: number
}

/**
 * `plugins: [meshmark()]` in vitest.config.ts.
 * @throws Error for options that can't be understood, and on a Node that Vitest 5 does not support
 */
export function meshmark(options: MeshmarkOptions = {}): Vite.Plugin {
  assertSupportedNode()
  const resolved = resolveOptions(options, meshesOfThisMachine(LAB_MESHES))
  // Written by the worker, read by the reporter and the matchers. In the run's directory, so that they go with it.
  const scratch = runDirectory(runState().runId)
  const progressFile = join(scratch, 'progress.json')
  return {
    name: 'meshmark',
    config(user) {
      const test: BenchModeConfig = user.test ?? {}
      if (test.benchmarkOnly !== true) return
      const filter = [test.project ?? []].flat()
      const root = test.root ?? user.root ?? process.cwd()
      const projects = resolved.projects.map((name) => {
        const context: PluginContext = {
          project: name,
          projects: resolved.projects,
          meshes: resolved.meshes,
          root,
          gate: resolved.gate,
          seed: resolved.seed,
          version: packageVersion(),
          progressFile,
          controlFile: join(scratch, 'controls.json'),
          budgets: resolved.budgets,
        }
        return {
          extends: true as const,
          test: {
            name,
            ...EMPTY_FILES_PASS,
            provide: { meshmark: context },
            globalSetup: [file('global-setup')],
            setupFiles: [file('setup')],
            testTimeout: Math.max(test.testTimeout ?? 0, TEST_TIMEOUT_MS),
            hookTimeout: Math.max(test.hookTimeout ?? 0, HOOK_TIMEOUT_MS),
            benchmark: { provider: file('provider') },
          },
        }
      })
      provideLabOptions(resolved.lab)
      return {
        test: {
          project: widenProjectFilter(filter, resolved.projects, test.projects === undefined ? [] : 'unknown'),
          watch: test.watch ?? false,
          ...EMPTY_FILES_PASS,
          projects,
        },
      }
    },
    configureVitest({ vitest, project }: VitestPluginContext) {
      if (!project.config.benchmark.enabled) return
      const reporter = file('reporter')
      if (vitest.config.reporters.some((entry) => Array.isArray(entry) && entry[0] === reporter)) return
      vitest.config.reporters.push([
        reporter,
        {
          outputDir: join(vitest.config.root, resolved.outputDir),
          gate: resolved.gate,
          seed: resolved.seed,
          projects: resolved.projects,
          progressFile,
        },
      ])
    },
  }
}
