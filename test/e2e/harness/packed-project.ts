/**
 * Global set-up of the end-to-end tests: packs the built package, and installs the tarball with Vitest and TypeScript
 * into a project outside of the checkout, as its users do. Once for all tests; removed at the end.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import type { TestProject } from 'vitest/node'

/** Where the tests find what was packed. */
export interface PackedProject {
  /** The project that has the package installed. */
  readonly directory: string
  /** Path of the tarball. */
  readonly tarball: string
  /** Files in the tarball, sorted, without npm's leading `package/`. */
  readonly files: readonly string[]
}

declare module 'vitest' {
  interface ProvidedContext {
    packedProject: PackedProject
  }
}

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const PREFIX = 'meshmark-e2e-'

/** Of the tools that the temporary project has in common with ours, so that both are of one version. */
const SHARED_TOOLS = ['vitest', 'typescript', '@types/node']

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeAbandoned()
  const directory = await mkdtemp(join(tmpdir(), PREFIX))
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true })
  try {
    await writeFile(join(directory, 'owner'), String(process.pid))
    const { tarball, files } = await pack(directory)
    const { devDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>
    }
    const tools = SHARED_TOOLS.map((name) => [name, devDependencies[name]])
    const manifest = { name: 'e2e', private: true, type: 'module', devDependencies: Object.fromEntries(tools) }
    await writeFile(join(directory, 'package.json'), JSON.stringify(manifest, null, 2))
    await mkdir(join(directory, 'runs'))
    await npm(['install', '--no-audit', '--no-fund', '--prefer-offline', '--no-package-lock', tarball], directory)
    project.provide('packedProject', { directory, tarball, files })
  } catch (error) {
    await remove()
    throw error
  }
  return remove
}

async function pack(directory: string): Promise<{ tarball: string; files: string[] }> {
  const { stdout } = await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', directory], ROOT)
  const packed: unknown = JSON.parse(stdout)
  // npm ≤ 11 prints an array, npm 12 an object by package name.
  const [entry] = (Array.isArray(packed) ? packed : Object.values(packed as object)) as {
    filename: string
    files: { path: string }[]
  }[]
  if (!entry) throw new Error(`npm pack printed no package:\n${stdout}`)
  return { tarball: join(directory, entry.filename), files: entry.files.map((file) => file.path).toSorted() }
}

/** npm with the machine's own settings, and none of what an `npm test` around us says of this project. */
async function npm(args: string[], cwd: string): Promise<{ stdout: string }> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_ENV$)/.test(name)))
  return execa('npm', args, { cwd, env, extendEnv: false, stdin: 'ignore', timeout: 300_000 })
}

/** Projects of runs that were killed. */
async function removeAbandoned(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(PREFIX))
  for (const path of names.map((name) => join(tmpdir(), name))) {
    const owner = Number(await readFile(join(path, 'owner'), 'utf8').catch(() => ''))
    if (owner > 0 && !isAlive(owner)) await rm(path, { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
