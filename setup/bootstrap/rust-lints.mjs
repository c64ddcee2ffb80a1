/** rustfmt and clippy on the Rust of probes/: two checks of `npm test`, and what they need. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { buildObjects, findTools } from './probes.mjs'
import { outputOf, searchPath, which } from './program.mjs'

/** Beside what the build needs; `npm start` does without. */
export const LINT_PACKAGES = ['rust-web-clippy', 'rustfmt-web']

const DEBIAN_PROGRAMS = ['cargo-clippy', 'clippy-driver', 'cargo-fmt', 'rustfmt'].map((name) => join('/usr/bin', name))

/** Each is a workspace of its own. */
const WORKSPACES = ['probes', 'probes/ebpf', 'probes/template', 'probes/template/ebpf']

/**
 * Whose rustfmt and clippy are missing; undefined: nobody's.
 * @param {import('./probes.mjs').ProbesFound} probes
 * @param {NodeJS.ProcessEnv} env
 * @returns {'debian' | 'rustup' | undefined}
 */
export function findMissingLints(probes, env) {
  const { toolchain } = findTools(env)
  // Programs that were built elsewhere (MESHMARK_PROBES) come without a toolchain: then the checks say so.
  if (!toolchain) return probes.state === 'ready' ? undefined : 'debian'
  if (toolchain.kind === 'debian') return DEBIAN_PROGRAMS.every((path) => existsSync(path)) ? undefined : 'debian'
  const rustup = which('rustup', searchPath(env)) ?? 'rustup'
  const has = (command) => outputOf(rustup, ['run', 'nightly', 'cargo', command, '--version']) !== undefined
  return has('clippy') && has('fmt') ? undefined : 'rustup'
}

/**
 * The row of the plan (see plan.mjs).
 * @param {import('./machine.mjs').Machine} machine
 */
export function lintsStep({ missingLints, platform, isRoot, hasApt }) {
  if (!missingLints) return undefined
  const step = { id: 'rust-lints', why: 'the checks rustfmt and clippy of npm test' }
  if (missingLints === 'rustup') {
    const command = 'rustup component add clippy rustfmt --toolchain nightly'
    return { ...step, what: "clippy and rustfmt of rustup's nightly", command, possible: false }
  }
  return {
    ...step,
    what: `Debian packages ${LINT_PACKAGES.join(' ')}`,
    command: `${isRoot ? '' : 'sudo '}apt-get install -y --no-install-recommends ${LINT_PACKAGES.join(' ')}`,
    possible: platform === 'linux' && isRoot && hasApt,
    debianPackages: LINT_PACKAGES,
  }
}

/**
 * What runs one of the checks, one after the other; undefined without a toolchain.
 * @param {'rustfmt' | 'clippy'} check
 * @param {string} root the checkout
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ command: string[], cwd: string, env: NodeJS.ProcessEnv }[] | undefined>}
 */
export async function rustLints(check, root, env) {
  const { toolchain, linker, target } = findTools(env)
  if (!toolchain || !linker || !target) return undefined
  // By their paths: on PATH, rustup's programs usually come before Debian's, and are of another version.
  const own = toolchain.kind === 'debian' ? { CARGO: toolchain.cargo, RUSTFMT: '/usr/bin/rustfmt' } : {}
  const cargo = (command) =>
    toolchain.kind === 'debian'
      ? [`/usr/bin/cargo-${command}`, command]
      : [toolchain.cargo, ...toolchain.cargoArgs, command]
  const shared = { ...env, ...toolchain.env, ...own }
  if (check === 'rustfmt') {
    return WORKSPACES.map((folder) => ({
      command: [...cargo('fmt'), '--all', '--check'],
      cwd: join(root, folder),
      env: shared,
    }))
  }
  // The programs for user space have the objects inside.
  await buildObjects(root, env, { toolchain, linker }, {})
  const clippy = (folder, args) => ({
    command: [...cargo('clippy'), '--locked', ...args, '--', '-D', 'warnings'],
    cwd: join(root, folder),
    env: shared,
  })
  return [
    clippy('probes', ['--workspace', '--all-targets', '--profile', 'checked', '--target', target]),
    clippy('probes/ebpf', ['--release', '--target', 'bpfel-unknown-none', ...toolchain.bpfArgs]),
  ]
}
