/**
 * Builds probes/ for arm64 on another Debian machine: `npm run build:probes -- --target arm64`. What it needs beside the toolchain is a C
 * linker with a static libc, and the target's standard library, which apt downloads and nobody installs.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  buildObjects,
  findTools,
  hashProbes,
  installPrograms,
  PROBE_PROGRAMS,
  probesFolder,
  runOrThrow,
} from './probes.mjs'
import { outputOf, searchPath, which } from './program.mjs'
import { SetupError } from './setup-error.mjs'

/** Key: Node's name. */
const TARGETS = {
  arm64: {
    target: 'aarch64-unknown-linux-gnu',
    linker: 'aarch64-linux-gnu-gcc',
    packages: ['gcc-aarch64-linux-gnu', 'libc6-dev-arm64-cross'],
    debian: 'arm64',
    /** Whose registers a kprobe reads arguments from: the objects are not the same for every machine. */
    bpf: 'aarch64',
  },
}

const STD_PACKAGE = 'libstd-rust-web-dev'
const STD_CACHE = '/var/cache/meshmark/rust-std'

/**
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 * @param {string} arch as `process.arch`
 * @param {{ onQuiet?: (seconds: number, lastLine: string) => void }} options
 * @returns {Promise<{ built: boolean, folder: string, toolchain: string }>}
 * @throws {SetupError} with what is missing, and the command for it
 */
export async function crossBuild(root, env, arch, options) {
  const build = TARGETS[arch]
  if (!build)
    throw new SetupError(
      `Programs for ${arch} are built on such a machine; for ${Object.keys(TARGETS).join(', ')} here, too.`,
    )
  const { toolchain, linker } = findTools(env)
  if (toolchain?.kind !== 'debian' || !linker) {
    throw new SetupError(
      `For ${arch}, this build needs Debian's Rust and bpf-linker, which npm run build:probes installs first (found: ${toolchain?.name ?? 'no Rust for eBPF'}). By rustup: rustup target add ${build.target}, and CARGO_TARGET_…_LINKER.`,
    )
  }
  if (!which(build.linker, searchPath(env))) {
    throw new SetupError(
      `For ${arch}, a C linker is missing (${build.linker}):\n  apt-get install -y --no-install-recommends ${build.packages.join(' ')}`,
    )
  }
  const folder = probesFolder(root, arch)
  const note = join(folder, 'build.json')
  const sources = hashProbes(root)
  if (existsSync(note) && JSON.parse(readFileSync(note, 'utf8')).sources === sources) {
    return { built: false, folder, toolchain: toolchain.name }
  }
  const sysroot = await fetchStd(build, env, options)
  const objects = join(root, 'probes/ebpf/target', arch)
  const objectEnv = { ...env, AYA_BPF_TARGET_ARCH: build.bpf, CARGO_TARGET_DIR: objects }
  await buildObjects(root, objectEnv, { toolchain, linker }, options)
  const object = (name) => join(objects, 'bpfel-unknown-none/release', name)
  const packages = PROBE_PROGRAMS.flatMap((name) => ['-p', name])
  const linkerVariable = `CARGO_TARGET_${build.target.toUpperCase().replaceAll('-', '_')}_LINKER`
  await runOrThrow(
    [toolchain.cargo, 'build', '--locked', '--release', '--target', build.target, ...packages],
    {
      ...env,
      ...toolchain.env,
      [linkerVariable]: build.linker,
      // For the target only: what runs while it is built has this machine's own library.
      RUSTFLAGS: `-C target-feature=+crt-static --sysroot ${sysroot}`,
      MESHMARK_EBPF_DATAPATH: object('datapath'),
      MESHMARK_EBPF_PROBE: object('probe'),
    },
    join(root, 'probes'),
    options,
  )
  installPrograms(root, folder, build.target, { sources, toolchain: toolchain.name })
  return { built: true, folder, toolchain: toolchain.name }
}

/**
 * The target's standard library of exactly this compiler's package, unpacked beside the system.
 * @returns {Promise<string>} the folder that is its sysroot
 */
async function fetchStd({ target, debian }, env, options) {
  const version = outputOf('dpkg-query', ['-W', '-f', '${Version}', STD_PACKAGE])
  if (!version)
    throw new SetupError(`${STD_PACKAGE} is not installed: npm run build:probes installs it with Debian's Rust.`)
  const folder = join(STD_CACHE, `${debian}-${version}`)
  const sysroot = join(folder, 'usr')
  if (existsSync(join(sysroot, 'lib/rustlib', target, 'lib'))) return sysroot
  const work = `${folder}.work`
  rmSync(work, { recursive: true, force: true })
  for (const part of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(work, part), { recursive: true })
  // Lists of its own: the machine's are not to learn of another architecture.
  const settings = [
    `APT::Architecture=${debian}`,
    `APT::Architectures=${debian}`,
    'APT::Sandbox::User=root',
    `Dir::State::lists=${work}/lists`,
    `Dir::Cache=${work}/cache`,
    'Dir::State::status=/dev/null',
  ]
  const apt = ['apt-get', '-qq', ...settings.flatMap((setting) => ['-o', setting])]
  await runOrThrow([...apt, 'update'], env, work, options)
  await runOrThrow([...apt, 'download', `${STD_PACKAGE}=${version}`], env, work, options)
  const deb = readdirSync(work).find((name) => name.endsWith('.deb'))
  if (!deb) throw new SetupError(`apt-get downloaded no ${STD_PACKAGE} ${version} for ${debian}.`)
  await runOrThrow(['dpkg-deb', '-x', deb, folder], env, work, options)
  rmSync(work, { recursive: true })
  return sysroot
}
