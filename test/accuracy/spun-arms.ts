/** Arms of one server process whose difference is known: each spins for its own time, and the server says what it spun. */
import { fileURLToPath } from 'node:url'
import type { HttpOptions } from '../../measure/load-options.ts'
import type { MeasuredBlocks } from '../../measure/provider/measured.ts'
import type { Lab } from '../../setup/lab/index.ts'
import { inClientPod } from './client-program.ts'
import { arm, measure } from './lab-arms.ts'

const SERVER = fileURLToPath(new URL('./spin-server.ts', import.meta.url))
const PORT = 8080

export interface SpunRun {
  readonly blocks: MeasuredBlocks
  /** Median of what was really spun, µs, by arm. */
  readonly spunUs: ReadonlyMap<string, number>
}

/**
 * @param spinsUs wanted time by arm, all different; paths of one length, for the arms' requests must only differ in their time
 */
export async function measureSpunArms(
  lab: Lab,
  spinsUs: Readonly<Record<string, number>>,
  options: HttpOptions,
  seed: string,
): Promise<SpunRun> {
  const pod = await lab.deploy('baseline', { command: ['node', SERVER, String(PORT)], port: PORT })
  try {
    const spins = Object.entries(spinsUs).map(([name, us]) => ({ name, spin: us.toFixed(3).slice(0, 5) }))
    const arms = spins.map(({ name, spin }) => arm(lab, name, [pod], { ...options, path: `/?spin=${spin}` }))
    const measured = await measure(arms, seed)
    const program = `fetch('http://${pod.host}:${pod.port}/report').then((answer) => answer.text()).then((text) => process.stdout.write(text))`
    const report = JSON.parse(await inClientPod(lab, ['node', '-e', program])) as Record<string, number>
    return {
      blocks: measured.blocks,
      spunUs: new Map(spins.map(({ name, spin }) => [name, report[spin] ?? Number.NaN])),
    }
  } finally {
    pod.remove()
  }
}
