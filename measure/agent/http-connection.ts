/**
 * One HTTP/1.1 connection with as little as possible between the clock and the socket: the request is bytes made
 * beforehand, reads go into one buffer (`onread`), and the clock is read in the callback that sees the last byte.
 */
import { connect, type Socket } from 'node:net'
import type { AgentArm, PodAddress } from './protocol.ts'
import { ResponseParser } from './response-parser.ts'

export interface Timed {
  /** `performance.now()` just before the request was written, or before the connect (`per-request`). */
  readonly startMs: number
  readonly endMs: number
  readonly status: number
  readonly bodyBytes: number
}

/** A request that takes longer is a failure: a hung server must end the bench, not hang it. */
const REQUEST_TIMEOUT_MS = 10_000

/** The bytes of an arm's request to one of its pods, made once. */
export function requestBytes(arm: AgentArm, pod: PodAddress): Buffer {
  const body = Buffer.from(arm.bodyBase64, 'base64')
  const headers: Record<string, string> = { host: `${pod.host}:${pod.port}`, ...arm.headers }
  if (body.length > 0 || arm.method === 'POST' || arm.method === 'PUT') headers['content-length'] = String(body.length)
  if (arm.connection === 'per-request') headers['connection'] = 'close'
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`${arm.method} ${arm.path} HTTP/1.1\r\n${head.join('')}\r\n`, 'latin1'), body])
}

export class HttpConnection {
  readonly #pod: PodAddress
  readonly #socket: Socket
  readonly #parser: ResponseParser
  readonly #connected: Promise<void>
  #startMs = 0
  #resolve: ((timed: Timed) => void) | undefined
  #reject: ((error: Error) => void) | undefined
  #broken: Error | undefined

  constructor(pod: PodAddress, method: string, buffer: Buffer) {
    this.#pod = pod
    this.#parser = new ResponseParser(method)
    this.#socket = connect({
      host: pod.host,
      port: pod.port,
      noDelay: true,
      onread: { buffer, callback: (bytes, data) => this.#read(data, bytes) },
    })
    this.#connected = new Promise((resolve, reject) => {
      this.#socket.once('connect', resolve)
      this.#socket.once('error', reject)
    })
    // Rejections are seen by whoever sends; a connection that nobody uses may fail unseen.
    this.#connected.catch(() => undefined)
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('end', () => this.#ended())
    this.#socket.on('close', () => this.#fail(new Error('the connection was closed')))
    this.#socket.setTimeout(REQUEST_TIMEOUT_MS, () => {
      // A connection may be idle for as long as it likes.
      if (this.#resolve === undefined && !this.#socket.connecting) return
      this.#fail(new Error(`no answer within ${REQUEST_TIMEOUT_MS / 1000} s`))
    })
  }

  connected(): Promise<void> {
    return this.#connected
  }

  /** Sends the request; `startMs` is given when the time began earlier (at the connect). */
  send(bytes: Buffer, startMs?: number): Promise<Timed> {
    return new Promise((resolve, reject) => {
      if (this.#broken !== undefined) {
        reject(this.#broken)
        return
      }
      this.#parser.reset()
      this.#resolve = resolve
      this.#reject = reject
      this.#startMs = startMs ?? performance.now()
      this.#socket.write(bytes)
    })
  }

  close(): void {
    this.#broken ??= new Error('the connection was closed by the agent')
    this.#socket.destroy()
  }

  #read(buffer: Uint8Array, bytes: number): boolean {
    try {
      const data = Buffer.from(buffer.buffer, buffer.byteOffset, bytes)
      if (this.#parser.feed(data)) this.#complete(performance.now())
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)))
    }
    return true
  }

  #ended(): void {
    if (this.#resolve !== undefined && this.#parser.end()) this.#complete(performance.now())
    else this.#fail(new Error('the server closed the connection'))
  }

  #complete(endMs: number): void {
    const resolve = this.#resolve
    if (resolve === undefined) {
      this.#fail(new Error('an answer without a request'))
      return
    }
    this.#resolve = undefined
    this.#reject = undefined
    if (this.#parser.closes) this.#broken = new Error('the server closed the keep-alive connection')
    resolve({ startMs: this.#startMs, endMs, status: this.#parser.status, bodyBytes: this.#parser.bodyBytes })
  }

  #fail(error: Error): void {
    this.#broken ??= new Error(`${this.#pod.host}:${this.#pod.port}: ${error.message}`)
    const reject = this.#reject
    this.#resolve = undefined
    this.#reject = undefined
    this.#socket.destroy()
    reject?.(this.#broken)
  }
}
