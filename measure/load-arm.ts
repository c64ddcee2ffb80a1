/** A load arm: a `bench` function that carries what the provider needs instead of being called by it. */
import type { Plan, RequestShape } from './load-options.ts'
import type { ArmPolicy, EnvironmentDescription } from './record.ts'
import type { Target } from './target.ts'
import type { Watch } from './watch.ts'

export interface LoadArm {
  /** The workload's pods, each with an address of its own: blocks take turns over them. */
  readonly pods: readonly Target[]
  readonly request: RequestShape
  readonly plan: Plan
  /** Where the arms live, for the record. */
  readonly describe: () => EnvironmentDescription
  /** The policy that the workload is under, with what it has dropped until now; undefined: none. */
  readonly policy?: (() => Promise<ArmPolicy>) | undefined
  /** What watches its path; looked at when the comparison begins. */
  readonly watches?: (() => readonly Watch[]) | undefined
}

const LOAD_ARM = Symbol.for('meshmark.load-arm')

/** What `load.http(…)` returns and `bench(name, …)` takes. */
export interface LoadFunction {
  (): never
  readonly [LOAD_ARM]: LoadArm
}

export function createLoadFunction(arm: LoadArm): LoadFunction {
  const load = (): never => {
    throw new Error(
      "A load was called as a plain function: meshmark's benchmark provider isn't active. Add the plugin to vitest.config.ts: plugins: [meshmark()], and run `vitest bench`.",
    )
  }
  return Object.assign(load, { [LOAD_ARM]: arm } as const)
}

/** The arm behind a `bench` function, if it is a load. */
export function loadArmOf(fn: unknown): LoadArm | undefined {
  if (typeof fn !== 'function' || !(LOAD_ARM in fn)) return undefined
  return (fn as LoadFunction)[LOAD_ARM]
}
