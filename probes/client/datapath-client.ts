import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import * as v from 'valibot'
import type { Operation, Operations } from './datapath-protocol.ts'

const answerSchema = v.union([
  v.object({ id: v.number(), error: v.string() }),
  v.object({ id: v.number(), ok: v.unknown() }),
])

interface Waiting {
  readonly operation: Operation
  resolve(answer: unknown): void
  reject(error: Error): void
}

/** The loader refused or could not do what it was asked; the message is its own sentence. */
export class DatapathError extends Error {}

/** A connection to the loader of the data path. Requests may overlap; answers come in any order. */
export class DatapathClient {
  readonly #socket: Socket
  readonly #waiting = new Map<number, Waiting>()
  #next = 1
  #ended: Error | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    createInterface({ input: socket }).on('line', (line) => this.#hear(line))
    socket.on('error', (error) => this.#end(error))
    socket.on('close', () => this.#end(new Error('it closed the connection')))
  }

  /** @throws DatapathError when nobody listens there */
  static connect(path: string): Promise<DatapathClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path)
      socket.once('connect', () => {
        // The worker must be free to end while it is connected.
        socket.unref()
        resolve(new DatapathClient(socket))
      })
      socket.once('error', (error) =>
        reject(new DatapathError(`The data path's loader does not answer at ${path}: ${error.message}`)),
      )
    })
  }

  /** @throws DatapathError with the loader's own sentence, or when it has ended */
  async request<Op extends Operation>(operation: Op, request: Operations[Op]['request']): Promise<unknown> {
    if (this.#ended !== undefined) throw this.#gone(operation)
    const id = this.#next++
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { operation, resolve, reject })
    })
    this.#socket.ref()
    this.#socket.write(`${JSON.stringify({ id, op: operation, ...request })}\n`)
    try {
      return await answer
    } finally {
      if (this.#waiting.size === 0) this.#socket.unref()
    }
  }

  close(): void {
    this.#socket.destroy()
  }

  #hear(line: string): void {
    const parsed = v.safeParse(answerSchema, JSON.parse(line))
    if (!parsed.success) return
    const answer = parsed.output
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if ('error' in answer) waiting?.reject(new DatapathError(answer.error))
    else waiting?.resolve(answer.ok)
  }

  #end(error: Error): void {
    this.#ended ??= error
    for (const { operation, reject } of this.#waiting.values()) reject(this.#gone(operation))
    this.#waiting.clear()
  }

  #gone(operation: Operation): DatapathError {
    return new DatapathError(
      `The data path's loader has ended (${this.#ended?.message ?? ''}) before it answered ${operation}.`,
    )
  }
}
