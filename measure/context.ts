/** What the main process gives to the workers through Vitest's `provide`. JSON only. */
import type { Budget } from './record.ts'

/** From the plugin's options, known when the configuration is read. */
export interface PluginContext {
  /** The project's own name, without Vitest's suffix: `baseline`, `istio`. */
  readonly project: string
  /** Of this configuration, those left out by `--project` as well. */
  readonly projects: readonly string[]
  /** Meshes of this configuration, `baseline` first. */
  readonly meshes: readonly string[]
  readonly root: string
  readonly gate: boolean
  readonly seed: string
  /** Version of meshmark. */
  readonly version: string
  readonly progressFile: string
  readonly controlFile: string
  /** By mesh, then by the name that `mesh.budget(name)` is called with. */
  readonly budgets: Readonly<Record<string, Readonly<Record<string, Budget>>>>
}

/** From the global set-up, known when the environment is up. */
export interface RunContext {
  readonly runId: string
  /** Where the environment keeps what is up. */
  readonly runDir: string
}

declare module 'vitest' {
  interface ProvidedContext {
    meshmark: PluginContext
    meshmarkRun: RunContext
  }
}
