/**
 * Vitest's global set-up of each mesh's project, in the main process: brings the lab and the project's mesh up before
 * any spec runs. All projects' set-ups run first and all tear-downs last, so the last one takes the lab down.
 */
import type { TestProject } from 'vitest/node'
import '../measure/context.ts'
import { upLab } from './lab/index.ts'
import { assertLabMesh, isLabMesh } from './meshes.ts'
import { runState } from './plugin/run-state.ts'

/** As a shell gives them: 128 + number of the signal. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

export default async function setup(project: TestProject): Promise<(() => void) | undefined> {
  if (!project.config.benchmark.enabled) return undefined
  const { project: name, meshes, root } = project.getProvidedContext().meshmark
  // Every mesh is measured against the baseline beside it; in `versus` all are live at once.
  const wanted = new Set(['baseline', ...(name === 'versus' ? meshes : [name])])
  for (const mesh of wanted) assertLabMesh(mesh, 'meshmark')
  const state = runState()
  if (state.lab === undefined) {
    // Before anything is up: a run that is waiting or half-way up must not leave anything either.
    exitOnSignals()
    state.lab = upLab({ root, ...state.labOptions, runId: state.runId }, say)
  }
  const lab = await state.lab
  for (const mesh of wanted) if (isLabMesh(mesh)) await lab.upMesh(mesh)
  project.provide('meshmarkRun', { runId: lab.runId, runDir: lab.runDir })
  state.users++
  return () => {
    state.users--
    if (state.users > 0) return
    state.lab = undefined
    lab.down()
  }
}

function say(line: string): void {
  process.stderr.write(`meshmark  ${line}\n`)
}

/** The lab takes itself down when the process exits; by default a signal would end it without that. */
function exitOnSignals(): void {
  for (const [signal, code] of Object.entries(EXIT_CODES)) {
    process.once(signal, () => {
      say(`${signal}: the run ends here, and leaves no record. The lab is taken down.`)
      process.exit(code)
    })
  }
}
