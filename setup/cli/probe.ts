import { spawn } from 'node:child_process'
import { type CommandDef, defineCommand } from 'citty'

/** What the program itself does, in the words of its own help. */
const DESCRIPTION =
  'Where the time, the packets and the connections go: probe latency|drops|connections|verify; probe new NAME makes one of your own (docs/probes.md)'

/** Runs `meshmark-probe` with the same arguments, in this terminal. Its exit code is ours. */
export const probe: CommandDef = defineCommand({
  meta: { name: 'probe', description: DESCRIPTION },
  async run({ rawArgs }) {
    const { findProbeProgram } = await import('../lab/ebpf/loader-binary.ts')
    try {
      if (rawArgs[0] === 'new') return await create(rawArgs.slice(1))
      process.exitCode = await runProgram(findProbeProgram('meshmark-probe'), rawArgs)
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
      process.exitCode = 1
    }
  },
})

async function create(args: readonly string[]): Promise<void> {
  const { newProbe } = await import('./probe-new.ts')
  if (args.length > 1) throw new Error(`meshmark probe new takes a name only, not ${args.slice(1).join(' ')}.`)
  process.stdout.write(`${newProbe(args[0])} is a probe that works. Its README says how to build, try and change it.\n`)
}

function runProgram(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    // By its parent's id it ends when we do, after `kill -9` too (probes/probe/src/signals.rs).
    const env = { ...process.env, MESHMARK_PROBE_PARENT: String(process.pid) }
    const child = spawn(program, args, { stdio: 'inherit', env })
    // The terminal sends Ctrl-C to both: the program writes what it saw, and we wait for that.
    const ignore = (): void => {}
    process.on('SIGINT', ignore)
    process.once('SIGTERM', () => child.kill('SIGTERM'))
    child.once('error', reject)
    child.once('close', (code) => {
      process.off('SIGINT', ignore)
      resolve(code ?? 1)
    })
  })
}
