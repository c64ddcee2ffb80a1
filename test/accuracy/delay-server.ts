/**
 * A server whose delays are known: 95 % of the requests are answered after 2 ms, 3 % after 10 ms, 2 % after 20 ms, by a
 * fixed schedule of request numbers. On the path `/stalls` every so many requests the whole process stands still.
 * `/report?PATH` gives what really happened, on this server's own clock, and when the process stood still because the
 * machine let it wait. Bare sockets: nothing but the delay takes time.
 * `node delay-server.ts PORT REQUESTS_PER_STALL STALL_MS`
 */
import { createServer, type Socket } from 'node:net'
import { createRandom } from '../../measure/statistics/random.ts'
import type { PathRecord } from './delay-record.ts'

const [port = 8080, requestsPerStall = 1500, stallMs = 200] = process.argv.slice(2).map(Number)
/** After the last request it goes on polling for so long: nothing that is late, it included, may go unseen. */
const AWAKE_MS = 50
/** The process stood still, whatever the cause: it does nothing else that takes so long. */
const STALL_SEEN_MS = 0.5
const ANSWER = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok\n')

interface PathState {
  readonly arrivedMs: number[]
  readonly answeredMs: number[]
  readonly nextDelayMs: () => number
}

interface Pending {
  readonly socket: Socket
  readonly state: PathState
  readonly index: number
  readonly dueMs: number
}

const paths = new Map<string, PathState>()
let pending: Pending[] = []
let polling = false
let polledMs = 0
let lastArrivalMs = 0
const stalls: { fromMs: number; toMs: number }[] = []

createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy())
  socket.on('data', (data) => {
    const arrivedMs = performance.now()
    // One small request at a time on each connection: it is never split.
    const path = data.toString('latin1', 4, data.indexOf(' ', 4))
    if (path.startsWith('/report?')) report(socket, path.slice('/report?'.length))
    else arrive(socket, stateOf(path), arrivedMs)
  })
}).listen(port)

function stateOf(path: string): PathState {
  const known = paths.get(path)
  if (known !== undefined) return known
  const random = createRandom(path)
  const nextDelayMs = (): number => {
    const share = random.next()
    return share < 0.02 ? 20 : share < 0.05 ? 10 : 2
  }
  const state: PathState = { arrivedMs: [], answeredMs: [], nextDelayMs }
  paths.set(path, state)
  return state
}

function arrive(socket: Socket, state: PathState, arrivedMs: number): void {
  const index = state.arrivedMs.push(arrivedMs) - 1
  pending.push({ socket, state, index, dueMs: arrivedMs + state.nextDelayMs() })
  if (paths.get('/stalls') === state && index % requestsPerStall === Math.floor(requestsPerStall / 2)) {
    while (performance.now() - arrivedMs < stallMs);
  }
  lastArrivalMs = arrivedMs
  if (polling) return
  polling = true
  polledMs = arrivedMs
  setImmediate(poll)
}

function poll(): void {
  const nowMs = performance.now()
  if (nowMs - polledMs > STALL_SEEN_MS) stalls.push({ fromMs: polledMs, toMs: nowMs })
  polledMs = nowMs
  let answered = false
  for (const request of pending) {
    if (request.dueMs > nowMs) continue
    request.state.answeredMs[request.index] = performance.now()
    request.socket.write(ANSWER)
    answered = true
  }
  if (answered) pending = pending.filter(({ state, index }) => state.answeredMs[index] === undefined)
  polling = pending.length > 0 || nowMs - lastArrivalMs < AWAKE_MS
  if (polling) setImmediate(poll)
}

function report(socket: Socket, path: string): void {
  const { arrivedMs, answeredMs } = stateOf(path)
  const body = JSON.stringify({ arrivedMs, answeredMs, stalls } satisfies PathRecord)
  socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`)
}
