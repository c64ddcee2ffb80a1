import { type CommandDef, defineCommand } from 'citty'

/** Says what of this machine the lab can use, and how to correct the rest. Exit code 1 where something failed. */
export const doctor: CommandDef = defineCommand({
  meta: { name: 'doctor', description: 'Check that this machine can run the lab, with a fix for whatever is missing' },
  async run() {
    const { renderChecks, runChecks } = await import('../doctor/index.ts')
    const checks = await runChecks()
    process.stdout.write(`${renderChecks(checks).trimEnd()}\n`)
    if (checks.some((check) => check.ok === 'failed')) process.exitCode = 1
  },
})
