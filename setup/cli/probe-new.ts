import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { packageRoot } from '../../measure/package-root.ts'

/** What the template's crate is called, wherever its name stands. */
const TEMPLATE_NAME = 'probe-name'
/** Cargo's own rule, in lower case; the name is also that of a file. */
const CRATE_NAME = /^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$/

/**
 * Makes the crate of a probe from the template, in a new directory of its name.
 * @returns the directory
 * @throws Error when the name is none for a crate, or something of that name is there
 */
export function newProbe(name: string | undefined, parent = process.cwd()): string {
  if (name === undefined || !CRATE_NAME.test(name)) {
    throw new Error(
      `meshmark probe new ${name ?? ''}: the name of a crate is needed, such as connect-time (lower case letters, digits, single hyphens).`,
    )
  }
  const directory = resolve(parent, name)
  if (existsSync(directory)) {
    throw new Error(`meshmark probe new ${name}: ${directory} is there already. Choose another name, or remove it.`)
  }
  const template = join(packageRoot(), 'probes', 'template')
  // Built in place by those who work on it.
  const own = (source: string): boolean => !/\/(?:target|Cargo\.lock)$/.test(source)
  try {
    cpSync(template, directory, { recursive: true, filter: own })
    for (const file of filesIn(directory)) {
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll(TEMPLATE_NAME, name))
    }
  } catch (error) {
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
  return directory
}

function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((file) => join(directory, file))
    .filter((file) => statSync(file).isFile())
}
