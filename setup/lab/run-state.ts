import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { LabError } from './lab-error.ts'
import { isAlive, readOwner } from './owner.ts'
import { writeWhole } from './run-dir.ts'

const runStateSchema = v.object({
  runId: v.string(),
  /** The user's project, where workload names are looked up first. */
  root: v.string(),
  cpus: v.object({ client: v.string(), server: v.string() }),
  envoy: v.optional(v.string()),
})
type StoredRunState = v.InferOutput<typeof runStateSchema>

/** What every process of a run knows of it: the main process writes it once, the workers read it. */
export interface RunState extends StoredRunState {
  readonly dir: string
}

export function writeRunState({ dir, ...stored }: RunState): void {
  writeWhole(join(dir, 'lab.json'), `${JSON.stringify(stored)}\n`)
}

/** @throws LabError when the run is not up, or its owner has died. */
export function readRunState(dir: string): RunState {
  assertRunAlive(dir)
  const file = join(dir, 'lab.json')
  if (!existsSync(file)) throw new LabError(`The lab in ${dir} is not up yet: await upLab() before it is opened.`)
  return { ...v.parse(runStateSchema, JSON.parse(readFileSync(file, 'utf8'))), dir }
}

/** @throws LabError when the process that the run belongs to has ended: what is made now would be nobody's. */
export function assertRunAlive(dir: string): void {
  const owner = readOwner(join(dir, 'owner.json'))
  if (!owner) throw new LabError(`There is no lab in ${dir}: it was torn down, or never came up. Start the run again.`)
  if (!isAlive(owner))
    throw new LabError(`The lab in ${dir} is without its owner (pid ${owner.pid} has ended). Start the run again.`)
}
