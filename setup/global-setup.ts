/**
 * Vitest's global set-up of each mesh's project, in the main process: brings the lab and the project's mesh up before
 * any spec runs. All projects' set-ups run first and all tear-downs last, so the last one takes the lab down.
 */
import { rmSync } from 'node:fs'
import type { TestProject } from 'vitest/node'
import '../measure/context.ts'
import { upLab } from './lab/index.ts'
import { assertLabMesh } from './meshes.ts'
import { runState } from './plugin/run-state.ts'

const EXIT_CODES = { SIGTERM: 143, SIGHUP: 129 } as const

export default async function setup(project: TestProject): Promise<(() => void) | undefined> {
  if (!project.config.benchmark.enabled) return undefined
  const context = project.getProvidedContext().meshmark
  const mesh = context.project
  assertLabMesh(mesh, 'meshmark')
  const state = runState()
  state.lab ??= up()
  const lab = await state.lab
  // Every mesh is measured against the baseline beside it.
  for (const name of new Set(['baseline', mesh] as const)) await lab.upMesh(name)
  project.provide('meshmarkRun', { runId: lab.runId, runDir: lab.runDir })
  state.users++
  return () => {
    state.users--
    if (state.users > 0) return
    state.lab = undefined
    lab.down()
    for (const file of [context.progressFile, context.noiseFloorFile]) rmSync(file, { force: true })
  }
}

async function up(): ReturnType<typeof upLab> {
  const lab = await upLab(runState().labOptions, (line) => process.stderr.write(`meshmark  ${line}\n`))
  // Synchronous, so that it runs to its end in an exit handler, too.
  process.on('exit', () => lab.down())
  for (const [signal, code] of Object.entries(EXIT_CODES)) {
    process.on(signal, () => {
      lab.down()
      process.exit(code)
    })
  }
  return lab
}
