/**
 * The echo server that workloads run, in the lab and on a cluster: plain node:http, no dependencies, one file.
 * `GET /` gives `ok`, `GET /?bytes=N` N bytes, `POST /` its own body. It listens on $PORT (8080).
 */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'

const LARGEST_BYTES = 64 * 1024 * 1024
const OK = Buffer.from('ok\n')

/** Bodies by size, made once: filling them is not what is measured. */
const bodies = new Map<number, Buffer>()

const server = createServer((request, response) => {
  if (request.method === 'POST' || request.method === 'PUT') {
    echo(request, response)
    return
  }
  const url = request.url ?? '/'
  const body = url.includes('?') ? bodyOf(url) : OK
  if (body) answer(response, 200, 'text/plain', body)
  else answer(response, 400, 'text/plain', Buffer.from(`bytes must be a number from 0 to ${LARGEST_BYTES}\n`))
})

// No time-out of the server may close a connection while a bench waits for its other arms.
server.keepAliveTimeout = 0
server.headersTimeout = 0
server.requestTimeout = 0
server.timeout = 0

server.listen(Number(process.env['PORT'] ?? 8080))
process.on('SIGTERM', () => process.exit(0))

function bodyOf(url: string): Buffer | undefined {
  const wanted = new URL(url, 'http://echo').searchParams.get('bytes')
  if (wanted === null) return OK
  const bytes = /^\d+$/.test(wanted) ? Number(wanted) : Number.NaN
  if (!(bytes <= LARGEST_BYTES)) return undefined
  let body = bodies.get(bytes)
  if (!body) {
    body = Buffer.alloc(bytes, 'meshmark')
    bodies.set(bytes, body)
  }
  return body
}

function echo(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    answer(response, 200, request.headers['content-type'] ?? 'application/octet-stream', Buffer.concat(chunks))
  })
}

function answer(response: ServerResponse, status: number, type: string, body: Buffer): void {
  response.writeHead(status, { 'content-type': type, 'content-length': body.length })
  response.end(body)
}
