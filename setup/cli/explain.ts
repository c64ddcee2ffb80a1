import { readFile } from 'node:fs/promises'
import { type CommandDef, defineCommand } from 'citty'
import type { MeshmarkRecord } from '../../measure/record.ts'

const args = {
  record: { type: 'positional', description: 'Path of a record.json (meshmark-results/record.json)', required: true },
} as const

/** Says of every row of a record why it has its outcome, and what would decide it. */
export const explain: CommandDef<typeof args> = defineCommand({
  meta: { name: 'explain', description: 'Why each row of a record has its outcome, and what would decide it' },
  args,
  async run({ args: { record: path } }) {
    const record = await readRecord(path).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
      process.exitCode = 1
    })
    if (!record) return
    const { explain: explainRecord } = await import('../../reporters/explain.ts')
    process.stdout.write(`${explainRecord(record).trimEnd()}\n`)
  },
})

/**
 * Reads a record from a file.
 * @throws Error of one line: unreadable, not JSON, or not a record (and where it isn't).
 */
async function readRecord(path: string): Promise<MeshmarkRecord> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const hint = error.code === 'ENOENT' ? ': `npx vitest bench` writes one to meshmark-results/record.json' : ''
    throw new Error(`${path} cannot be read (${error.code ?? error.message})${hint}`, { cause: error })
  })
  const json = parseJson(path, text)
  const { parseRecord } = await import('../../measure/record.ts')
  try {
    return parseRecord(json)
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}
