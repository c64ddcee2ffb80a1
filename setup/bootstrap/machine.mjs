/** What this machine and this checkout have. Looks only, changes nothing. */
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { findEnvoy, findPip } from './envoy.mjs'
import { isSupportedNode } from './node-version.mjs'
import { lockDifference } from './npm-lock.mjs'
import { DEBIAN_PACKAGES, TEST_PACKAGES } from './pins.mjs'
import { findProbes } from './probes.mjs'
import { outputOf, searchPath, which } from './program.mjs'
import { findMissingLints } from './rust-lints.mjs'

/**
 * @typedef {object} Machine
 * @property {string} platform
 * @property {string} arch
 * @property {boolean} isRoot
 * @property {boolean} hasApt
 * @property {boolean} hasNpm
 * @property {string | undefined} packages what keeps node_modules from being package-lock.json's; undefined: nothing
 * @property {{ path: string, version: string }} machineNode the one that was there before us
 * @property {string | undefined} ownNode version of the Node in node_modules
 * @property {string[]} missingPrograms
 * @property {import('./envoy.mjs').EnvoyFound} envoy
 * @property {import('./probes.mjs').ProbesFound} probes
 * @property {'debian' | 'rustup' | undefined} missingLints whose rustfmt and clippy are missing; undefined: nobody's, or none are wanted
 * @property {string | undefined} pip a Python with pip; looked for only where Envoy is missing
 */

/**
 * @param {string} root the checkout
 * @param {NodeJS.ProcessEnv} env
 * @param {boolean} forTests with what only the checks need
 * @returns {Promise<Machine>}
 */
export async function inspectMachine(root, env, forTests) {
  const needed = TEST_PACKAGES.filter(({ arch = process.arch }) => forTests && arch === process.arch)
  const packages = [...DEBIAN_PACKAGES, ...needed]
  const folders = outsideFolders(root, env)
  const envoy = await findEnvoy(env, folders)
  const probes = findProbes(root, env)
  return {
    platform: process.platform,
    arch: process.arch,
    isRoot: process.getuid?.() === 0,
    hasApt: which('apt-get', folders) !== undefined,
    hasNpm: which('npm', folders) !== undefined,
    packages: lockDifference(
      readJson(join(root, 'package-lock.json')),
      readJson(join(root, 'node_modules/.package-lock.json')),
    ),
    machineNode: machineNode(root, folders),
    ownNode: outputOf(join(root, 'node_modules/.bin/node'), ['--version'])?.replace(/^v/, ''),
    missingPrograms: packages.flatMap((row) => row.programs).filter((program) => !which(program, folders)),
    envoy,
    probes,
    missingLints: forTests ? findMissingLints(probes, env) : undefined,
    pip: envoy.state === 'missing' ? findPip(folders) : undefined,
  }
}

/**
 * PATH without any node_modules/.bin (npm puts the checkout's first, and `npm ci` deletes what is in it), and with the
 * folder of the Node that runs us, where npm usually is.
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 */
export function outsideFolders(root, env) {
  const folders = searchPath(env).filter((folder) => !folder.endsWith('node_modules/.bin'))
  const own = dirname(process.execPath)
  return own.startsWith(join(root, 'node_modules')) || folders.includes(own) ? folders : [...folders, own]
}

/**
 * Environment for programs that must not use what is in node_modules, npm first of all.
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 */
export function outsideEnv(root, env) {
  return { ...env, PATH: outsideFolders(root, env).join(delimiter) }
}

/**
 * Environment for everything that runs on the checkout's packages.
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 */
export function insideEnv(root, env) {
  return { ...env, PATH: [join(root, 'node_modules/.bin'), ...outsideFolders(root, env)].join(delimiter) }
}

/**
 * The Node that everything is run with: the machine's, or ours where that is too old. Never simply the one that runs
 * us: under `npm start` it may be the one in node_modules, which `npm ci` removes.
 * @param {string} root
 * @param {Machine} machine
 */
export function nodeToUse(root, machine) {
  return isSupportedNode(machine.machineNode.version) ? machine.machineNode.path : join(root, 'node_modules/.bin/node')
}

/**
 * @param {string} root
 * @param {string[]} folders
 */
function machineNode(root, folders) {
  if (!process.execPath.startsWith(join(root, 'node_modules'))) {
    return { path: process.execPath, version: process.versions.node }
  }
  const path = which('node', folders) ?? ''
  return { path, version: (path && outputOf(path, ['--version'])?.replace(/^v/, '')) || 'none' }
}

/** @param {string} path */
function readJson(path) {
  try {
    return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
  } catch {
    return undefined
  }
}
