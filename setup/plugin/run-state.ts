/**
 * State of the run in the main process. On globalThis, because Vitest evaluates the configuration and each project's
 * global set-up through module runners of their own, and there must be one lab for all of them.
 */
import type { LabHandle } from '../lab/index.ts'
import { newRunId } from '../lab/owner.ts'
import type { MeshmarkOptions } from './options.ts'

interface RunState {
  /** Chosen before the run is up, so that the configuration can say where its files are. */
  readonly runId: string
  labOptions: NonNullable<MeshmarkOptions['lab']>
  lab: Promise<LabHandle> | undefined
  users: number
}

declare global {
  var __meshmarkRun: RunState | undefined
}

export function runState(): RunState {
  globalThis.__meshmarkRun ??= { runId: newRunId(), labOptions: {}, lab: undefined, users: 0 }
  return globalThis.__meshmarkRun
}

export function provideLabOptions(options: NonNullable<MeshmarkOptions['lab']>): void {
  runState().labOptions = options
}
