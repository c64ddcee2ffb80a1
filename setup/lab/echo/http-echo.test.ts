import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ORIGIN = 'http://127.0.0.1:38123'
let server: ChildProcess
beforeAll(async () => {
  server = spawn(process.execPath, [fileURLToPath(new URL('http-echo.ts', import.meta.url))], {
    env: { PORT: '38123' },
    stdio: 'inherit',
  })
  for (let up = false; !up;) {
    // oxlint-disable-next-line no-await-in-loop -- until it listens
    up = await fetch(ORIGIN).then(
      () => true,
      () => new Promise<false>((resolve) => setTimeout(resolve, 20, false)),
    )
  }
})
afterAll(() => server.kill())

test('GET / is ok', async () => {
  const response = await fetch(ORIGIN)
  expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([200, '3', 'ok\n'])
})

test('GET /?bytes=N is N bytes', async () => {
  for (const bytes of [0, 1024, 65_536]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other is enough
    const response = await fetch(`${ORIGIN}/?bytes=${bytes}`)
    expect((await response.bytes()).length).toBe(bytes)
  }
})

test('POST gives the body back, with its length and type', async () => {
  const body = 'x'.repeat(65_536)
  const response = await fetch(ORIGIN, { method: 'POST', body, headers: { 'content-type': 'text/x' } })
  expect([
    response.headers.get('content-length'),
    response.headers.get('content-type'),
    (await response.text()) === body,
  ]).toEqual(['65536', 'text/x', true])
})

test.for(['-1', '1e3', '99999999999', ''])('bytes=%s is refused', async (bytes) => {
  expect((await fetch(`${ORIGIN}/?bytes=${bytes}`)).status).toBe(400)
})
