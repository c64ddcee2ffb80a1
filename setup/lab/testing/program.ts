import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'

/** A test program that runs as its own process, read line by line. */
export interface TestProgram {
  readonly pid: number
  readonly lines: readonly string[]
  /** The first line, past or future, that begins so. */
  line(start: string): Promise<string>
  kill(): Promise<void>
}

export function startProgram(
  name: 'hold-lab' | 'hold-run' | 'hold-workload' | 'take-lock',
  args: readonly string[] = [],
): TestProgram {
  const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url))
  const child = execa(process.execPath, [file, ...args], {
    stdin: 'ignore',
    stderr: 'inherit',
    buffer: false,
    reject: false,
  })
  const lines: string[] = []
  const reader = createInterface(child.stdout)
  reader.on('line', (line) => lines.push(line))
  return {
    pid: child.pid ?? -1,
    lines,
    async line(start) {
      for (;;) {
        const found = lines.find((line) => line.startsWith(start))
        if (found !== undefined) return found
        const ended = await Promise.race([once(reader, 'line').then(() => false), child.then(() => true)])
        if (ended && !lines.some((line) => line.startsWith(start)))
          throw new Error(`${name} ended without "${start}": ${lines.join(' | ')}`)
      }
    },
    async kill() {
      child.kill('SIGKILL')
      await child
    },
  }
}
