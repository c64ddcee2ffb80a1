import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lastLines } from './log-tail.ts'

function linesOf(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'meshmark-log-'))
  writeFileSync(join(folder, 'log'), text)
  const lines = lastLines(join(folder, 'log'))
  rmSync(folder, { recursive: true })
  return lines
}

test("of Node's own errors the message is kept, frames and fields are not", () => {
  const text = `starting
node:events:486
      throw er; // Unhandled 'error' event
      ^

Error: listen EADDRINUSE: address already in use :::4000
    at Server.setupListenHandle [as _listen2] (node:net:1940:16)
Emitted 'error' event on Server instance at:
    at emitErrorNT (node:net:1919:8) {
  code: 'EADDRINUSE',
  errno: -98,
  port: 4000
}

Node.js v26.10.0
`
  expect(linesOf(text)).toBe('Error: listen EADDRINUSE: address already in use :::4000')
})

test('without an error, the last lines', () => {
  expect(linesOf(Array.from({ length: 20 }, (_, index) => `line ${index}`).join('\n'))).toMatchInlineSnapshot(
    `"line 12 | line 13 | line 14 | line 15 | line 16 | line 17 | line 18 | line 19"`,
  )
})

test('nothing written, or no file', () => {
  expect([linesOf(''), lastLines('/nowhere')]).toEqual(['', ''])
})
