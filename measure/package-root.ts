import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Manifest {
  readonly name?: unknown
  readonly version?: unknown
}

let found: string | undefined

/**
 * The folder of the meshmark package itself, whether this runs from a source checkout or bundled in `dist/`.
 * @throws Error when no package.json named `meshmark` is above this file
 */
export function packageRoot(): string {
  found ??= search(dirname(fileURLToPath(import.meta.url)))
  return found
}

/** Version of this package. */
export function packageVersion(): string {
  return String(readManifest(join(packageRoot(), 'package.json')).version)
}

/** This code runs as TypeScript from a checkout: its neighbours in `dist/` may be older than it. */
export function runsFromSource(): boolean {
  return import.meta.url.endsWith('.ts')
}

function search(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (existsSync(file) && readManifest(file).name === 'meshmark') return folder
    if (dirname(folder) === folder) throw new Error(`No package.json of meshmark above ${from}: reinstall the package.`)
  }
}

function readManifest(file: string): Manifest {
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'))
  return typeof parsed === 'object' && parsed !== null ? parsed : {}
}
