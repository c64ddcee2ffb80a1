/** The accuracy scripts measure in the real lab, through the real engine, without Vitest around it. */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseHttpOptions, type HttpOptions } from '../../measure/load-options.ts'
import { packageRoot } from '../../measure/package-root.ts'
import { measureComparison, type MeasuredRun, type MeasureOptions } from '../../measure/provider/measure-comparison.ts'
import type { NamedArm } from '../../measure/provider/parity.ts'
import { type DeployedWorkload, type Lab, type LabMesh, openLab, upLab } from '../../setup/lab/index.ts'

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))

/** Others who wait for the machine's lock look every 200 ms. */
const OTHERS_TURN_MS = 500

/** Brings a lab up, gives it to `use`, and takes it down whatever happens. One lab for each run: others may have the machine in between. */
export async function withLab<Result>(use: (lab: Lab) => Promise<Result>, mesh: LabMesh = 'baseline'): Promise<Result> {
  const handle = await upLab({}, () => undefined)
  try {
    await handle.upMesh(mesh)
    return await use(openLab(handle.runDir))
  } finally {
    handle.down()
    await delay(OTHERS_TURN_MS)
  }
}

export function arm(lab: Lab, name: string, pods: readonly DeployedWorkload[], options: HttpOptions): NamedArm {
  return { name, pods, describe: () => lab.describe(), ...parseHttpOptions(options) }
}

export async function measure(
  arms: readonly NamedArm[],
  seed: string,
  beforeBlock?: MeasureOptions['beforeBlock'],
): Promise<MeasuredRun> {
  return await measureComparison(arms, {
    agentCommand: [process.execPath, join(packageRoot(), 'dist', 'agent.js')],
    seed,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...(beforeBlock === undefined ? {} : { beforeBlock }),
  })
}
