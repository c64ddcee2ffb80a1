/** Booting a kernel without hardware virtualisation. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { outputOf, runLogged, which } from '../../setup/bootstrap/program.mjs'
import { SetupError } from '../../setup/bootstrap/setup-error.mjs'
import { bootable } from './unpack.mjs'

/** The first that does not lose the flags register of kernel 6.12 (7.2 does, whatever `-cpu` says). */
const OLDEST_QEMU = 10

/** A boot that takes longer is ended; it takes 15 to 40 s on an idle machine. */
const SECONDS = Number(process.env.MESHMARK_KERNEL_SECONDS ?? 300)

/**
 * A qemu that is new enough: this machine's, or Debian's of its backports, downloaded once.
 * @param {string[]} folders
 * @returns {string[]} the command's beginning
 */
export function findQemu(folders) {
  const own = which('qemu-system-x86_64', folders)
  const version = Number(/version (\d+)/.exec((own && outputOf(own, ['--version'])) ?? '')?.[1] ?? 0)
  if (own && version >= OLDEST_QEMU) return [own]
  const usr = join(fetch('qemu'), 'usr')
  const firmware = ['qemu', 'seabios'].flatMap((name) => ['-L', join(usr, 'share', name)])
  const found = [join(usr, 'bin/qemu-system-x86_64'), ...firmware]
  if (outputOf(found[0], ['--version']) === undefined) {
    throw new SetupError(`${found[0]} does not run: its libraries come with the Debian package qemu-system-x86.`)
  }
  return found
}

/**
 * @param {string} what a series of kernels, or `qemu`
 * @returns {string} its folder
 * @throws {SetupError} where it can't be downloaded
 */
export function fetch(what) {
  const result = spawnSync(join(import.meta.dirname, 'fetch.sh'), [what], { encoding: 'utf8' })
  if (result.status !== 0) throw new SetupError(`${(result.stderr || result.error?.message || '').trim()}`)
  return result.stdout.trim().split('\n').at(-1) ?? ''
}

/**
 * A nanosecond of the guest for each of its instructions, and none while it waits: between two ticks of the clock it does as much as a
 * machine does that is not emulated. Takes longer.
 */
const AS_FAST_AS_A_MACHINE = ['-icount', 'shift=0,sleep=off']

/**
 * Returns when it is off.
 * @param {string[]} qemu
 * @param {{ kernel: string, image: string, isPreempted: boolean, log: string, cwd: string, env: NodeJS.ProcessEnv }} what
 *   `isPreempted`: the kernel puts tasks aside in the middle of a tracepoint's programs, at ticks of its clock
 */
export function boot(qemu, { kernel, image, isPreempted, log, cwd, env }) {
  const machine = ['-accel', 'tcg', '-cpu', 'max', '-m', '1024', '-smp', '1', '-nographic', '-no-reboot']
  const clock = isPreempted ? AS_FAST_AS_A_MACHINE : []
  const system = ['-kernel', bootable(kernel), '-initrd', image, '-append', 'console=ttyS0 quiet panic=1 oops=panic']
  return runLogged(['timeout', String(SECONDS), ...qemu, ...machine, ...clock, ...system], { cwd, env, log })
}
