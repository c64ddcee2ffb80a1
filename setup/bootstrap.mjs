#!/usr/bin/env node
/**
 * From a bare checkout to a run: `npm start` and `npm test`. Only Node ≥ 20 and npm have to be there; this file and
 * bootstrap/ have no dependencies and install what is missing, after saying so.
 */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from './bootstrap/build.mjs'
import { runChecks } from './bootstrap/checks.mjs'
import { ensureReady } from './bootstrap/install.mjs'
import { insideEnv, nodeToUse } from './bootstrap/machine.mjs'
import { runForeground } from './bootstrap/program.mjs'
import { SetupError } from './bootstrap/setup-error.mjs'

const USAGE = `node setup/bootstrap.mjs start [arguments of vitest bench]
node setup/bootstrap.mjs test [names of checks]

MESHMARK_NO_INSTALL=1  installs nothing: lists what is missing, with the command for each
MESHMARK_ENVOY=PATH    uses this Envoy`

/** What `npm start` runs when nothing is said: what each mesh costs, what policies cost, and the meshes against each other. */
const MAIN_SPECS = ['bench/overhead.bench.ts', 'bench/policy.bench.ts', 'bench/versus.bench.ts']

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const say = (line) => process.stdout.write(`${line}\n`)
const complain = (text) => process.stderr.write(`${text}\n`)

/**
 * @param {string | undefined} command
 * @param {string[]} args
 * @returns {Promise<number>} the exit code
 */
async function main(command, args) {
  if (command !== 'start' && command !== 'test') {
    complain(USAGE)
    return 2
  }
  const machine = await ensureReady(root, process.env, say, { lints: command === 'test' })
  const node = nodeToUse(root, machine)
  const env = insideEnv(root, process.env)
  const nodeVersion = node === machine.machineNode.path ? machine.machineNode.version : machine.ownNode
  say(`meshmark: Node ${nodeVersion}, Envoy ${machine.envoy.version} (${machine.envoy.path})`)
  if (command === 'test') {
    const counts = await runChecks({ root, node, env, only: args, say })
    return counts.failed === 0 && counts.passed > 0 ? 0 : 1
  }
  const build = await ensureBuilt(root, node, env)
  if (build.exitCode !== 0) throw new SetupError(`The build failed:\n${build.tail}`)
  if (build.built) say(`meshmark: built in ${build.seconds.toFixed(1)} s`)
  const specs = args.length > 0 ? args : MAIN_SPECS
  return runForeground([node, join(root, 'node_modules/vitest/vitest.mjs'), 'bench', ...specs], { cwd: root, env })
}

try {
  process.exitCode = await main(process.argv[2], process.argv.slice(3))
} catch (error) {
  complain(error instanceof SetupError ? error.message : error?.stack)
  process.exitCode = 1
}
