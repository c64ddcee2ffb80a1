import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Takes the next pod number of the run: mkdir is atomic, so workers never share one, and directories of removed pods are never given again. */
export function allocatePod(runDir: string): { number: number; podDir: string } {
  const taken = join(runDir, 'numbers')
  mkdirSync(taken, { recursive: true })
  for (let number = readdirSync(taken).length; ; number++) {
    try {
      mkdirSync(join(taken, String(number)))
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') continue
      throw error
    }
    const podDir = join(runDir, 'pods', `p${number}`)
    mkdirSync(podDir, { recursive: true })
    return { number, podDir }
  }
}
