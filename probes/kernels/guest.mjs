/** The small system that a kernel boots: busybox, `ip` with its libraries, the programs and their tests. */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { which } from '../../setup/bootstrap/program.mjs'
import { SetupError } from '../../setup/bootstrap/setup-error.mjs'

/**
 * What is the same for all kernels.
 * @param {string} folder where it is made
 * @param {{ programs: import('./programs.mjs').Programs, script: string, folders: string[] }} what `script`: runs the tests
 */
export function makeGuest(folder, { programs, script, folders }) {
  const [busybox, ip] = ['busybox', 'ip'].map((name) => which(name, folders))
  if (!busybox || !ip) throw new SetupError('The kernels need busybox (busybox-static) and ip (iproute2).')
  for (const each of ['bin', 'usr/bin', 'modules']) mkdirSync(join(folder, each), { recursive: true })
  copyFileSync(busybox, join(folder, 'bin/busybox'))
  copyFileSync(realpathSync(ip), join(folder, 'usr/bin/ip'))
  for (const [library] of run('ldd', [realpathSync(ip)]).matchAll(/\/\S+/g)) {
    mkdirSync(join(folder, dirname(library)), { recursive: true })
    copyFileSync(library, join(folder, library))
  }
  for (const file of Object.values(programs)) {
    // Where the tests look for it, since they were built there.
    mkdirSync(join(folder, dirname(file)), { recursive: true })
    // Without the symbols: less to unpack. Where there is no strip, with them.
    const stripped = spawnSync('strip', ['-o', join(folder, file), file]).status === 0
    if (!stripped) copyFileSync(file, join(folder, file))
    chmodSync(join(folder, file), 0o755)
  }
  copyFileSync(join(dirname(fileURLToPath(import.meta.url)), 'init'), join(folder, 'init'))
  chmodSync(join(folder, 'init'), 0o755)
  writeFileSync(join(folder, 'tests'), script)
}

/**
 * The guest with a kernel's modules, as an initramfs.
 * @param {string} guest
 * @param {string} kernel folder of `fetch.sh`
 * @param {string} image
 */
export function packGuest(guest, kernel, image) {
  const root = `${image}.root`
  cpSync(guest, root, { recursive: true })
  const modules = join(kernel, 'modules')
  for (const name of readdirSync(modules)) copyFileSync(join(modules, name), join(root, 'modules', basename(name)))
  run('sh', ['-c', 'find . | busybox cpio -o -H newc > "$1" 2> /dev/null', 'sh', image], root)
  rmSync(root, { recursive: true })
  if (readFileSync(image).length === 0) throw new Error(`${image} is empty`)
}

/** What a program prints. */
function run(program, args, cwd) {
  const result = spawnSync(program, args, { cwd, encoding: 'utf8' })
  if (result.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${result.error?.message ?? result.stderr}`)
  return result.stdout
}
