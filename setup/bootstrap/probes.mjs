/**
 * Builds probes/: the eBPF programs, and the programs that load them with the eBPF inside. Where nothing has changed it
 * does nothing. By hand: `node setup/bootstrap/probes.mjs`; for another machine's kind `--target arm64` (cross-build.mjs).
 */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runLogged, searchPath } from './program.mjs'
import { BPF_LINKER, bpfLinkerArgs, findBpfLinker, findToolchain, RUST_PACKAGES } from './rust-toolchain.mjs'
import { SetupError } from './setup-error.mjs'

/** What is shipped; each has its eBPF programs inside. To ship another program, add its package. */
export const PROBE_PROGRAMS = ['meshmark-datapath', 'meshmark-probe']

const BPF_TARGET = 'bpfel-unknown-none'
const TARGETS = { x64: 'x86_64-unknown-linux-gnu', arm64: 'aarch64-unknown-linux-gnu' }

/**
 * Where the programs are. The published platform packages carry the same folder; it is not in git.
 * @param {string} root the checkout
 * @param {string} [arch] as `process.arch`
 */
export const probesFolder = (root, arch = process.arch) => join(root, 'probes/prebuilt', `linux-${arch}`)

/**
 * @typedef {object} ProbesFound
 * @property {'ready' | 'stale' | 'missing'} state
 * @property {string} reason
 * @property {import('./rust-toolchain.mjs').Toolchain} [toolchain]
 * @property {string} [linker] where bpf-linker is
 * @property {string[]} lacks what no toolchain can do without
 */

/** @param {string} folder */
const isComplete = (folder) => folder !== '' && PROBE_PROGRAMS.every((name) => existsSync(join(folder, name)))

/**
 * What is there, and with what it could be built. Looks only.
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 * @returns {ProbesFound}
 */
export function findProbes(root, env) {
  if (isComplete(env.MESHMARK_PROBES ?? '')) return { state: 'ready', reason: '', lacks: [] }
  const folder = probesFolder(root)
  const built = isComplete(folder)
  const note = join(folder, 'build.json')
  const current = built && existsSync(note) && JSON.parse(readFileSync(note, 'utf8')).sources === hashProbes(root)
  if (current) return { state: 'ready', reason: '', lacks: [] }
  const folders = searchPath(env)
  const { toolchain, reasons } = findToolchain(folders)
  return {
    state: built ? 'stale' : 'missing',
    reason: built ? 'the sources in probes/ have changed since they were built' : 'the eBPF programs are not built yet',
    toolchain,
    linker: findBpfLinker(folders),
    lacks: toolchain ? [] : reasons,
  }
}

/**
 * The rows of the plan (see plan.mjs) for what is missing here.
 * @param {ProbesFound} probes
 * @param {{ platform: string, isRoot: boolean, hasApt: boolean }} machine
 */
export function probeSteps(probes, { platform, isRoot, hasApt }) {
  if (probes.state === 'ready') return []
  const sudo = isRoot ? '' : 'sudo '
  const canInstall = platform === 'linux' && isRoot && hasApt
  const steps = []
  if (!probes.toolchain) {
    steps.push({
      id: 'rust',
      what: `a Rust toolchain for eBPF (Debian packages ${RUST_PACKAGES.join(' ')})`,
      why: `${probes.reason}; ${probes.lacks.join('; ')}`,
      command: `${sudo}apt-get install -y --no-install-recommends ${RUST_PACKAGES.join(' ')} (or: rustup component add rust-src --toolchain nightly)`,
      possible: canInstall,
      debianPackages: RUST_PACKAGES,
    })
  }
  if (!probes.linker) {
    steps.push({
      id: 'bpf-linker',
      what: `bpf-linker ${BPF_LINKER.version} (1 to 3 minutes)`,
      why: 'links eBPF programs; neither on PATH nor installed by the set-up yet',
      command: `LLVM_PREFIX=${BPF_LINKER.llvm} cargo ${bpfLinkerArgs().join(' ')}`,
      possible: probes.toolchain !== undefined ? isRoot : canInstall,
    })
  }
  return [
    ...steps,
    {
      id: 'probes',
      what: 'the eBPF programs of the data path and the probes, and their loaders (1 to 3 minutes)',
      why: probes.reason,
      command: 'node setup/bootstrap/probes.mjs',
      possible: steps.every((step) => step.possible),
    },
  ]
}

/**
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 * @param {{ onQuiet?: (seconds: number, lastLine: string) => void }} [options]
 * @returns {Promise<string>} which bpf-linker
 */
export async function installBpfLinker(root, env, options = {}) {
  const { toolchain, reasons } = findToolchain(searchPath(env))
  if (!toolchain) throw new SetupError(`No Rust toolchain for eBPF: ${reasons.join('; ')}`)
  const command = [toolchain.cargo, ...toolchain.cargoArgs, ...bpfLinkerArgs()]
  await runOrThrow(command, { ...env, ...toolchain.env, LLVM_PREFIX: BPF_LINKER.llvm }, root, options)
  return findBpfLinker(searchPath(env)) ?? 'bpf-linker'
}

/**
 * Builds what is not built. One exported function for `npm start` and `npm test`.
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 * @param {{ onQuiet?: (seconds: number, lastLine: string) => void }} [options]
 * @returns {Promise<{ built: boolean, folder: string, toolchain: string }>}
 * @throws {SetupError} with exactly what is missing, and the command for each
 */
export async function ensureProbes(root, env, options = {}) {
  const folder = probesFolder(root)
  const probes = findProbes(root, env)
  if (probes.state === 'ready') {
    return { built: false, folder, toolchain: JSON.parse(readFileSync(join(folder, 'build.json'), 'utf8')).toolchain }
  }
  const { toolchain, linker } = probes
  const target = TARGETS[process.arch]
  if (!toolchain || !linker || !target) {
    const machine = {
      platform: process.platform,
      isRoot: process.getuid?.() === 0,
      hasApt: existsSync('/usr/bin/apt-get'),
    }
    const missing = probeSteps(probes, machine).filter((step) => step.id !== 'probes')
    const rows = missing.map((step) => `  ${step.what}\n      why   ${step.why}\n      how   ${step.command}`)
    throw new SetupError(
      target
        ? `The eBPF programs can't be built here. Missing:\n${rows.join('\n')}`
        : `No eBPF programs for ${process.arch}`,
    )
  }
  const sources = hashProbes(root)
  const cargo = [toolchain.cargo, ...toolchain.cargoArgs]
  const probesRoot = join(root, 'probes')
  await buildObjects(root, env, { toolchain, linker }, options)
  const packages = PROBE_PROGRAMS.flatMap((name) => ['-p', name])
  await runOrThrow(
    [...cargo, 'build', '--locked', '--release', '--target', target, ...packages],
    { ...env, ...toolchain.env, RUSTFLAGS: '-C target-feature=+crt-static' },
    probesRoot,
    options,
  )
  installPrograms(root, folder, target, { sources, toolchain: toolchain.name })
  return { built: true, folder, toolchain: toolchain.name }
}

/**
 * Puts what cargo built for a target where it is looked for, with a note on what it was built from.
 * @param {string} root
 * @param {string} folder
 * @param {string} target
 * @param {{ sources: string, toolchain: string }} note
 */
export function installPrograms(root, folder, target, note) {
  mkdirSync(folder, { recursive: true })
  for (const name of PROBE_PROGRAMS) {
    // A running program can't be written over, only replaced.
    rmSync(join(folder, name), { force: true })
    copyFileSync(join(root, 'probes/target', target, 'release', name), join(folder, name))
    chmodSync(join(folder, name), 0o755)
  }
  writeFileSync(join(folder, 'build.json'), `${JSON.stringify(note)}\n`)
}

/**
 * What there is to build with here.
 * @param {NodeJS.ProcessEnv} env
 */
export function findTools(env) {
  const folders = searchPath(env)
  return {
    toolchain: findToolchain(folders).toolchain,
    linker: findBpfLinker(folders),
    target: TARGETS[process.arch],
  }
}

/** The eBPF objects, which the programs for user space have inside. */
export async function buildObjects(root, env, { toolchain, linker }, options) {
  await runOrThrow(
    [
      toolchain.cargo,
      ...toolchain.cargoArgs,
      'build',
      '--locked',
      '--release',
      '--target',
      BPF_TARGET,
      ...toolchain.bpfArgs,
    ],
    { ...env, ...toolchain.env, RUSTFLAGS: `-C linker=${linker} -C link-arg=--btf` },
    join(root, 'probes/ebpf'),
    options,
  )
}

/**
 * What tests the programs with real traffic, on what `ensureProbes` has built.
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ command: string[], cwd: string, env: NodeJS.ProcessEnv }[] | undefined>} one run after the other; undefined without a
 *   toolchain
 */
export async function probeTests(root, env) {
  const { toolchain, linker, target } = findTools(env)
  if (!toolchain || !linker || !target) return undefined
  // Programs that were built elsewhere come without them.
  await buildObjects(root, env, { toolchain, linker }, {})
  const cargo = [toolchain.cargo, ...toolchain.cargoArgs, 'test']
  const programs = {
    command: [
      ...cargo,
      '--locked',
      '--profile',
      'checked',
      '--no-fail-fast',
      '--target',
      target,
      '-p',
      'meshmark-datapath',
      '-p',
      'meshmark-probe',
    ],
    cwd: join(root, 'probes'),
    env: {
      ...env,
      ...toolchain.env,
      RUSTFLAGS: '-C target-feature=+crt-static',
      MESHMARK_DATAPATH: join(probesFolder(root), 'meshmark-datapath'),
    },
  }
  // The crate that `meshmark probe new` copies, as it is.
  const template = {
    command: [...cargo, '--target-dir', join(root, 'probes/target/template')],
    cwd: join(root, 'probes/template'),
    env: { ...env, ...toolchain.env, BPF_LINKER: linker },
  }
  return [programs, template]
}

/**
 * By content, since a checkout of another branch leaves older times on newer files.
 * @param {string} root
 */
export function hashProbes(root) {
  const folder = join(root, 'probes')
  const hash = createHash('sha256').update(readFileSync(fileURLToPath(import.meta.url)))
  for (const path of walk(folder).toSorted()) {
    const content = readFileSync(path)
    hash.update(`\0${relative(folder, path)}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function walk(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory())
      return ['target', 'prebuilt', 'tests', 'kernels', 'template'].includes(entry.name) ? [] : walk(path)
    return /\.(rs|toml|lock)$/.test(entry.name) ? [path] : []
  })
}

/**
 * @param {string[]} command
 * @param {NodeJS.ProcessEnv} env
 * @param {string} cwd
 * @param {{ onQuiet?: (seconds: number, lastLine: string) => void }} options
 */
export async function runOrThrow(command, env, cwd, { onQuiet }) {
  const log = join(tmpdir(), `meshmark-probes-${process.pid}.log`)
  const { exitCode, tail } = await runLogged(command, { cwd, env, log, onQuiet })
  if (exitCode === 0) return rmSync(log, { force: true })
  const last = tail.split('\n').slice(-30).join('\n')
  throw new SetupError(`\`${command.join(' ')}\` in ${cwd} ended with ${exitCode}:\n${last}\n(all of it: ${log})`)
}

/** As a program. Not awaited by the module: cross-build.mjs imports it. */
async function main() {
  const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
  const say = (stream, line) => void stream.write(`${line}\n`)
  const onQuiet = (seconds, line) => say(process.stderr, `  ${seconds.toFixed(0)} s so far: ${line}`)
  try {
    const { target = process.arch } = parseArgs({ options: { target: { type: 'string' } } }).values
    if (!findBpfLinker(searchPath(process.env)) && findToolchain(searchPath(process.env)).toolchain) {
      say(process.stderr, `installing bpf-linker ${BPF_LINKER.version} …`)
      await installBpfLinker(root, process.env, { onQuiet })
    }
    const build =
      target === process.arch
        ? () => ensureProbes(root, process.env, { onQuiet })
        : async () => (await import('./cross-build.mjs')).crossBuild(root, process.env, target, { onQuiet })
    const { built, folder, toolchain } = await build()
    say(process.stdout, `${built ? 'built' : 'up to date'}: ${folder} (${toolchain})`)
  } catch (error) {
    say(process.stderr, error instanceof SetupError ? error.message : error?.stack)
    process.exitCode = 1
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) void main()
