import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot, runsFromSource } from '../../../measure/package-root.ts'

/** Where manifests see meshmark's own programs: a mounted ConfigMap on a cluster, the package in the lab. */
const MOUNT = '/meshmark/'

/** Built file in dist/, and its source for a checkout that isn't built. */
const PROGRAMS: { readonly [name: string]: string } = {
  'echo.js': 'setup/lab/echo/http-echo.ts',
}

/** Puts this machine's files in the place of /meshmark/…; `fail` makes the error for one that doesn't exist. */
export function commandOf(command: readonly string[], fail: (message: string) => Error): string[] {
  return command.map((word) => {
    if (!word.startsWith(MOUNT)) return word
    const name = word.slice(MOUNT.length)
    const source = PROGRAMS[name]
    if (source === undefined)
      throw fail(
        `${word} is none of meshmark's programs: ${Object.keys(PROGRAMS)
          .map((known) => MOUNT + known)
          .join(', ')}`,
      )
    const built = join(packageRoot(), 'dist', name)
    const checkout = join(packageRoot(), source)
    // From a checkout the source: what dist/ holds may be older.
    const file = (runsFromSource() ? [checkout, built] : [built, checkout]).find((candidate) => existsSync(candidate))
    if (file === undefined) throw fail(`${word} is not in this installation (${built}): reinstall meshmark`)
    return file
  })
}
