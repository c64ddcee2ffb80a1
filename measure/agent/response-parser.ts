/**
 * Finds where an HTTP/1.1 response ends (RFC 9112, section 6) and nothing more: status and body length are all that
 * a measurement needs, and every microsecond spent here would be counted as the mesh's.
 */

const HEAD_END = Buffer.from('\r\n\r\n')
const MAX_HEAD_BYTES = 64 * 1024

type State = 'head' | 'length' | 'chunk-size' | 'chunk-data' | 'trailer' | 'until-close'

export class ResponseParser {
  status = 0
  bodyBytes = 0
  /** The server will close the connection after this response. */
  closes = false
  #state: State = 'head'
  #remaining = 0
  #pending: Buffer | undefined
  readonly #headRequest: boolean

  constructor(method: string) {
    this.#headRequest = method === 'HEAD'
  }

  reset(): void {
    this.status = 0
    this.bodyBytes = 0
    this.closes = false
    this.#state = 'head'
    this.#remaining = 0
    this.#pending = undefined
  }

  /**
   * Feeds the next bytes; true when the response is complete.
   * @throws Error when the bytes are no HTTP/1.1 response, or go on after its end.
   */
  feed(chunk: Buffer): boolean {
    let data = chunk
    if (this.#pending !== undefined) {
      data = Buffer.concat([this.#pending, chunk])
      this.#pending = undefined
    }
    let at = 0
    for (;;) {
      if (this.#state === 'head') {
        const end = data.indexOf(HEAD_END, at)
        if (end === -1) {
          if (data.length - at > MAX_HEAD_BYTES) throw new Error(`response head is longer than ${MAX_HEAD_BYTES} bytes`)
          return this.#keep(data, at)
        }
        const done = this.#head(data.toString('latin1', at, end))
        at = end + HEAD_END.length
        // 1xx responses are interim: the real one follows.
        if (this.status < 200) continue
        if (done) return this.#complete(data, at)
      } else if (this.#state === 'length') {
        const take = Math.min(this.#remaining, data.length - at)
        this.bodyBytes += take
        this.#remaining -= take
        at += take
        if (this.#remaining > 0) return false
        return this.#complete(data, at)
      } else if (this.#state === 'chunk-size') {
        const end = data.indexOf('\r\n', at)
        if (end === -1) return this.#keep(data, at)
        const size = Number.parseInt(data.toString('latin1', at, end), 16)
        if (!(size >= 0)) throw new Error(`bad chunk size "${data.toString('latin1', at, end).slice(0, 20)}"`)
        at = end + 2
        this.#remaining = size + 2
        this.bodyBytes += size
        this.#state = size === 0 ? 'trailer' : 'chunk-data'
      } else if (this.#state === 'chunk-data') {
        const take = Math.min(this.#remaining, data.length - at)
        this.#remaining -= take
        at += take
        if (this.#remaining > 0) return false
        this.#state = 'chunk-size'
      } else if (this.#state === 'trailer') {
        const end = data.indexOf('\r\n', at)
        if (end === -1) return this.#keep(data, at)
        const empty = end === at
        at = end + 2
        if (empty) return this.#complete(data, at)
      } else {
        this.bodyBytes += data.length - at
        return false
      }
    }
  }

  /** The connection ended: true when that is how this response says it is complete. */
  end(): boolean {
    return this.#state === 'until-close'
  }

  #keep(data: Buffer, at: number): boolean {
    // A copy: the socket's read buffer is used again for the next read.
    this.#pending = Buffer.from(data.subarray(at))
    return false
  }

  #complete(data: Buffer, at: number): boolean {
    if (at < data.length) throw new Error(`${data.length - at} bytes after the end of the response`)
    return true
  }

  /** True when no body follows. */
  #head(text: string): boolean {
    if (!text.startsWith('HTTP/1.')) throw new Error(`not an HTTP/1.1 response: "${text.slice(0, 40)}"`)
    this.status = Number(text.slice(9, 12))
    if (!(this.status >= 100)) throw new Error(`bad status line "${text.slice(0, 40)}"`)
    if (this.status < 200) return false
    const head = text.toLowerCase()
    const connection = field(head, 'connection')
    this.closes = connection === undefined ? text.startsWith('HTTP/1.0') : connection.includes('close')
    if (this.#headRequest || this.status === 204 || this.status === 304) return true
    if (field(head, 'transfer-encoding')?.includes('chunked') === true) {
      this.#state = 'chunk-size'
      return false
    }
    const length = field(head, 'content-length')
    if (length === undefined) {
      this.#state = 'until-close'
      this.closes = true
      return false
    }
    this.#remaining = Number(length)
    if (!Number.isInteger(this.#remaining) || this.#remaining < 0) throw new Error(`bad content-length "${length}"`)
    this.#state = 'length'
    return this.#remaining === 0
  }
}

function field(head: string, name: string): string | undefined {
  const at = head.indexOf(`\r\n${name}:`)
  if (at === -1) return undefined
  const start = at + name.length + 3
  const end = head.indexOf('\r\n', start)
  return head.slice(start, end === -1 ? undefined : end).trim()
}
