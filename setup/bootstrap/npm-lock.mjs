/**
 * Whether node_modules holds what package-lock.json says, read from npm's own note of what it installed
 * (node_modules/.package-lock.json, which npm writes last). Compared as a whole each time, which takes a few ms: so it
 * also notices a package that was installed by hand in another version, and needs no note of ours.
 */

/**
 * The first difference as a sentence, undefined when there is none. Packages beside the lock's (the Node of the
 * set-up) are none of its business; optional ones for other platforms may be absent.
 * @param {{ packages?: Record<string, LockedPackage> } | undefined} lock package-lock.json
 * @param {{ packages?: Record<string, LockedPackage> } | undefined} installed node_modules/.package-lock.json
 * @returns {string | undefined}
 *
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, devOptional?: boolean }} LockedPackage
 */
export function lockDifference(lock, installed) {
  if (!lock?.packages) return 'package-lock.json is missing or unreadable'
  if (!installed?.packages) return 'node_modules is not there, or npm was interrupted'
  for (const [path, wanted] of Object.entries(lock.packages)) {
    if (path === '') continue
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
    const found = installed.packages[path]
    if (!found) {
      if (wanted.optional || wanted.devOptional) continue
      return `${name} ${wanted.version} is not installed`
    }
    if (found.version !== wanted.version) return `${name} is ${found.version}, package-lock.json says ${wanted.version}`
    if (wanted.integrity && found.integrity !== wanted.integrity) return `${name} ${wanted.version} has another hash`
  }
  return undefined
}
