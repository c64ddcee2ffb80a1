/** One arm's requests against servers of every kind, on loopback. */
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer, type Server, Socket } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { ArmFailure, ArmSender } from './arm-sender.ts'
import type { AgentArm } from './protocol.ts'

const closings: (() => void)[] = []
afterEach(() => {
  vi.restoreAllMocks()
  for (const close of closings.splice(0)) close()
})

interface Served {
  readonly port: number
  connections: number
}

async function listen(server: Server): Promise<Served> {
  const sockets = new Set<Socket>()
  const served = { port: 0, connections: 0 }
  server.on('connection', (socket) => {
    served.connections++
    sockets.add(socket)
  })
  closings.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  served.port = (server.address() as AddressInfo).port
  return served
}

async function serve(handler: RequestListener): Promise<Served> {
  return await listen(createHttpServer(handler))
}

/** A server that sends these bytes for whatever it reads, and nothing that Node would add. */
async function answerWith(bytes: string, after: (socket: Socket) => void = () => undefined): Promise<Served> {
  return await listen(
    createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', () => {
        socket.write(bytes)
        after(socket)
      })
    }),
  )
}

async function sender(port: number, more: Partial<AgentArm> = {}): Promise<ArmSender> {
  const arm = new ArmSender({
    name: 'arm',
    protocol: 'http/1.1',
    pods: [{ host: '127.0.0.1', port }],
    method: 'GET',
    path: '/',
    headers: {},
    bodyBase64: '',
    connection: 'keep-alive',
    ...more,
  })
  closings.push(() => arm.close())
  await arm.open(1)
  return arm
}

const failure = (message: string): unknown =>
  expect.objectContaining({ constructor: ArmFailure, arm: 'arm', message: expect.stringContaining(message) })

test('64 KB up and back on one connection, again and again', async () => {
  const body = Buffer.alloc(65_536, 'meshmark ')
  const received: number[] = []
  const { port } = await serve((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const whole = Buffer.concat(parts)
      received.push(whole.compare(body))
      response.setHeader('content-length', whole.length)
      response.end(whole)
    })
  })
  const arm = await sender(port, { method: 'POST', bodyBase64: body.toString('base64') })
  for (let i = 0; i < 5; i++) expect(await arm.send()).toMatchObject({ status: 200, bodyBytes: 65_536 })
  expect(received).toEqual([0, 0, 0, 0, 0])
})

test('a chunked answer ends with its last chunk, and the connection goes on', async () => {
  const served = await serve((_request, response) => {
    response.write('a'.repeat(1000))
    // A packet of its own.
    setImmediate(() => {
      response.write('b'.repeat(20_000))
      response.end()
    })
  })
  const arm = await sender(served.port)
  for (let i = 0; i < 3; i++) expect(await arm.send()).toMatchObject({ status: 200, bodyBytes: 21_000 })
  expect(served.connections).toBe(1)
})

test('HEAD: the length is told, no body follows', async () => {
  const served = await serve((_request, response) => {
    response.setHeader('content-length', 500)
    response.end()
  })
  const arm = await sender(served.port, { method: 'HEAD' })
  for (let i = 0; i < 3; i++) expect(await arm.send()).toMatchObject({ status: 200, bodyBytes: 0 })
  expect(served.connections).toBe(1)
})

test('per request: a connection each, closed by the server, timed from before the connect', async () => {
  const closers: string[] = []
  const served = await serve((request, response) => {
    closers.push(request.headers.connection ?? '')
    response.end('ok')
  })
  const arm = await sender(served.port, { connection: 'per-request' })
  const original = Socket.prototype.connect
  const connect = vi.spyOn(Socket.prototype, 'connect')
  for (let i = 0; i < 4; i++) {
    const beforeMs = performance.now()
    let connectedMs = Infinity
    connect.mockImplementationOnce(function (this: Socket, ...args: unknown[]) {
      connectedMs = performance.now()
      return Reflect.apply(original, this, args) as Socket
    } as typeof Socket.prototype.connect)
    const timed = await arm.send()
    expect(timed).toMatchObject({ status: 200, bodyBytes: 2 })
    expect(timed.startMs).toBeGreaterThanOrEqual(beforeMs)
    expect(timed.startMs).toBeLessThanOrEqual(connectedMs)
  }
  expect(served.connections).toBe(4)
  expect(closers).toEqual(['close', 'close', 'close', 'close'])
})

test('an answer without a length ends with the connection', async () => {
  const { port } = await answerWith('HTTP/1.1 200 OK\r\n\r\nto the end', (socket) => socket.end())
  const arm = await sender(port)
  expect(await arm.send()).toMatchObject({ status: 200, bodyBytes: 10 })
  await expect(arm.send()).rejects.toEqual(failure(''))
})

test('a server that announces the end of a keep-alive connection: its answer counts, the next request fails', async () => {
  const { port } = await serve((_request, response) => {
    response.shouldKeepAlive = false
    response.end('ok')
  })
  const arm = await sender(port)
  expect(await arm.send()).toMatchObject({ status: 200 })
  await expect(arm.send()).rejects.toEqual(failure('the server closed the keep-alive connection'))
})

test('a server that closes an idle connection without a word: the next request fails', async () => {
  const { port } = await serve((request, response) => {
    response.end('ok', () => setImmediate(() => request.socket.destroy()))
  })
  const arm = await sender(port)
  expect(await arm.send()).toMatchObject({ status: 200 })
  await new Promise((resolve) => setTimeout(resolve, 20))
  await expect(arm.send()).rejects.toEqual(failure('the server closed the connection'))
})

test('a server that dies within an answer fails the request', async () => {
  const { port } = await answerWith('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf', (socket) => socket.end())
  const arm = await sender(port)
  await expect(arm.send()).rejects.toEqual(failure('the server closed the connection'))
})

test('nobody listens: opening says so', async () => {
  const { port } = await serve(() => undefined)
  for (const close of closings.splice(0)) close()
  await expect(sender(port)).rejects.toEqual(failure('ECONNREFUSED'))
})

test('a hung server fails the request after 10 s', async () => {
  // The same timer, a hundred times as fast: its length is the only thing that is not real.
  const setTimeout = Socket.prototype.setTimeout
  const waits = vi.spyOn(Socket.prototype, 'setTimeout').mockImplementation(function (this: Socket, ms, callback) {
    return Reflect.apply(setTimeout, this, [ms / 100, callback]) as Socket
  })
  const { port } = await answerWith('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nha')
  const arm = await sender(port)
  await expect(arm.send()).rejects.toEqual(failure('no answer within 10 s'))
  expect(waits.mock.calls.map(([ms]) => ms)).toContain(10_000)
})
