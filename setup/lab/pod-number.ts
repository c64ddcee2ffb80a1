import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Takes the next pod number of the run: mkdir is atomic, so workers never share one, and directories of removed pods are never given again. */
export function allocatePod(runDir: string): { number: number; podDir: string } {
  const taken = join(runDir, 'numbers')
  makeBelow(taken)
  for (let number = readdirSync(taken).length; ; number++) {
    try {
      mkdirSync(join(taken, String(number)))
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') continue
      throw error
    }
    const podDir = join(runDir, 'pods', `p${number}`)
    makeBelow(join(runDir, 'pods'))
    mkdirSync(podDir)
    return { number, podDir }
  }
}

/** Not recursive: the directory of a run that was torn down meanwhile must not come back. */
function makeBelow(directory: string): void {
  try {
    mkdirSync(directory)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}
