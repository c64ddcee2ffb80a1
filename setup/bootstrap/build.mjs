/** Builds dist/, unless it is what these sources give already. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runLogged } from './program.mjs'
import { withLock } from './run-lock.mjs'

const SOURCE_FOLDERS = ['fixtures', 'measure', 'probes', 'reporters', 'setup']
const SOURCE_FILES = ['package-lock.json', 'package.json', 'tsconfig.json', 'tsdown.config.ts']

/** Where everything is kept that can be made again: test results, logs, the note on the build. Not in git or the package. */
export const cacheFolder = (root) => join(root, 'node_modules/.cache/meshmark')

/**
 * @param {string} root
 * @param {string} node the Node to build with
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ built: boolean, exitCode: number, tail: string, seconds: number }>}
 */
export function ensureBuilt(root, node, env) {
  return withLock(
    root,
    () => {},
    async () => {
      const note = join(cacheFolder(root), 'build.json')
      const inputs = hashSources(root)
      const current = () => JSON.stringify({ inputs, outputs: listOutputs(root) })
      if (existsSync(note) && readFileSync(note, 'utf8') === current()) {
        return { built: false, exitCode: 0, tail: '', seconds: 0 }
      }
      const command = [node, join(root, 'node_modules/.bin/tsdown')]
      const result = await runLogged(command, { cwd: root, env, log: join(cacheFolder(root), 'build.log') })
      if (result.exitCode === 0) {
        mkdirSync(dirname(note), { recursive: true })
        writeFileSync(note, current())
      }
      return { built: true, ...result }
    },
  )
}

/**
 * By content, since a checkout of another branch leaves older times on newer files.
 * @param {string} root
 * @returns {string}
 */
export function hashSources(root) {
  const hash = createHash('sha256').update(root)
  const sources = SOURCE_FOLDERS.flatMap((folder) => walk(root, folder)).filter(isSource)
  for (const path of [...SOURCE_FILES, ...sources.toSorted()]) {
    const content = existsSync(join(root, path)) ? readFileSync(join(root, path)) : ''
    hash.update(`\0${path}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

/** @param {string} path */
const isSource = (path) => /\.(ts|json)$/.test(path) && !path.endsWith('.test.ts')

/**
 * Name and size of all that was built: a file that was deleted or cut off counts as not built.
 * @param {string} root
 */
function listOutputs(root) {
  return Object.fromEntries(
    walk(root, 'dist')
      .toSorted()
      .map((path) => [path, statSync(join(root, path)).size]),
  )
}

/**
 * Files under a folder, as paths from the root.
 * @param {string} root
 * @param {string} folder
 * @returns {string[]}
 */
function walk(root, folder) {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'node_modules' || entry.name === 'target' ? [] : walk(root, path)
    return entry.isFile() ? [path] : []
  })
}
