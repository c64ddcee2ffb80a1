/** The Rust toolchain for eBPF: Debian's packages, or rustup's nightly with rust-src; and bpf-linker, which links for the kernel. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { outputOf, which } from './program.mjs'

/** What the build needs from Debian (bookworm). LLVM is bpf-linker's. */
export const RUST_PACKAGES = [
  'rustc-web',
  'cargo-web',
  'libstd-rust-web-dev-bpf',
  'llvm-22-dev',
  'libpolly-22-dev',
  'g++',
  'libc6-dev',
]

export const BPF_LINKER = {
  version: '0.13.0',
  /** Its default feature wants LLVM 23. */
  args: ['--locked', '--no-default-features', '--features', 'llvm-22'],
  /** LLVM that it is built with. */
  llvm: '/usr/lib/llvm-22',
}

/** Where bpf-linker is installed to: outside of the checkout, since it takes minutes. */
export const CARGO_ROOT = '/var/cache/meshmark/cargo'

const BPF_TARGET = 'bpfel-unknown-none'

/**
 * @typedef {object} Toolchain
 * @property {'debian' | 'rustup'} kind
 * @property {string} name what is said of it, with its version
 * @property {string} cargo
 * @property {string[]} cargoArgs before the command
 * @property {string[]} bpfArgs for the eBPF side
 * @property {Record<string, string>} env for both sides
 */

/**
 * The first toolchain that can build for eBPF, and why the others can't.
 * @param {string[]} folders
 * @returns {{ toolchain?: Toolchain, reasons: string[] }}
 */
export function findToolchain(folders) {
  const found = [debianToolchain(), rustupToolchain(folders)]
  return {
    toolchain: found.find((each) => typeof each !== 'string'),
    reasons: found.filter((each) => typeof each === 'string'),
  }
}

/** By their full paths: rustup's programs of the same names usually come first on PATH. */
function debianToolchain() {
  const [rustc, cargo] = ['/usr/bin/rustc', '/usr/bin/cargo']
  const version = existsSync(rustc) ? outputOf(rustc, ['--version']) : undefined
  if (!version || !existsSync(cargo)) return 'Debian: rustc-web and cargo-web are not installed'
  const sysroot = outputOf(rustc, ['--print', 'sysroot']) ?? '/usr'
  if (!existsSync(join(sysroot, 'lib/rustlib', BPF_TARGET))) {
    return 'Debian: libstd-rust-web-dev-bpf is not installed (core for eBPF)'
  }
  return {
    kind: 'debian',
    name: `Debian's ${version}`,
    cargo,
    cargoArgs: [],
    bpfArgs: [],
    // aya-ebpf uses a nightly feature.
    env: { RUSTC: rustc, RUSTC_BOOTSTRAP: '1' },
  }
}

/** @param {string[]} folders */
function rustupToolchain(folders) {
  const rustup = which('rustup', folders)
  if (!rustup) return 'rustup: not installed'
  const rustc = (args) => outputOf(rustup, ['run', 'nightly', 'rustc', ...args])
  const version = rustc(['--version'])
  if (!version) return 'rustup: there is no nightly toolchain'
  const sysroot = rustc(['--print', 'sysroot']) ?? ''
  if (!existsSync(join(sysroot, 'lib/rustlib/src/rust/library/core')))
    return 'rustup: nightly is there, without rust-src'
  return {
    kind: 'rustup',
    name: `rustup's nightly, ${version}`,
    cargo: rustup,
    cargoArgs: ['run', 'nightly', 'cargo'],
    bpfArgs: ['-Z', 'build-std=core'],
    env: {},
  }
}

/**
 * @param {string[]} folders
 * @returns {string | undefined}
 */
export function findBpfLinker(folders) {
  return which('bpf-linker', [join(CARGO_ROOT, 'bin'), ...folders])
}

/** What installs bpf-linker, as arguments of the toolchain's cargo. */
export function bpfLinkerArgs() {
  return ['install', 'bpf-linker', '--version', BPF_LINKER.version, ...BPF_LINKER.args, '--root', CARGO_ROOT]
}
