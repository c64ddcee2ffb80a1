import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Executable files of this name on PATH, the first first; folders that we may not enter are passed over. */
export function findOnPath(program: string, path: string = process.env['PATH'] ?? ''): string[] {
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, program))
    .filter(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
