import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MeshmarkRecord } from '../measure/record.ts'

/**
 * Writes `record.json` into a folder that is made if need be, by way of a temporary file: a reader sees the old record
 * or the new one, never half of one. Gives its path.
 */
export async function writeRecord(folder: string, record: MeshmarkRecord): Promise<string> {
  const path = join(folder, 'record.json')
  const temporary = `${path}.${process.pid}.tmp`
  await mkdir(folder, { recursive: true })
  try {
    await writeFile(temporary, `${JSON.stringify(record)}\n`)
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
  return path
}
