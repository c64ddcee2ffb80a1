/** An arm as the plans use it: `send()` gives one timed request, over kept connections or a new one each time. */
import { HttpConnection, requestBytes, type Timed } from './http-connection.ts'
import type { AgentArm, PodAddress } from './protocol.ts'

/** One read buffer for all connections: reads are handled before the next one begins. */
const READ_BUFFER = Buffer.allocUnsafe(256 * 1024)

export class ArmFailure extends Error {
  readonly arm: string

  constructor(arm: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause))
    this.arm = arm
  }
}

export class ArmSender {
  readonly name: string
  readonly #arm: AgentArm
  #pod: PodAddress
  #bytes: Buffer
  #connections: HttpConnection[] = []
  #next = 0

  constructor(arm: AgentArm) {
    this.name = arm.name
    this.#arm = arm
    const [first] = arm.pods
    if (first === undefined) throw new ArmFailure(arm.name, new Error('an arm without pods'))
    this.#pod = first
    this.#bytes = requestBytes(arm, first)
  }

  /** Which pod serves from now on; open connections are closed. */
  turnTo(index: number): void {
    this.close()
    const pod = this.#arm.pods[index]
    if (pod === undefined) throw new ArmFailure(this.name, new Error(`there is no pod ${index}`))
    this.#pod = pod
    this.#bytes = requestBytes(this.#arm, pod)
  }

  async open(connections: number): Promise<void> {
    this.close()
    if (this.#arm.connection === 'per-request') return
    this.#connections = Array.from({ length: connections }, () => this.#connect())
    try {
      await Promise.all(this.#connections.map((connection) => connection.connected()))
    } catch (error) {
      throw new ArmFailure(this.name, error)
    }
  }

  close(): void {
    for (const connection of this.#connections) connection.close()
    this.#connections = []
  }

  /** One request over the next connection in turn. @throws ArmFailure */
  async send(): Promise<Timed> {
    const index = this.#next++ % Math.max(1, this.#connections.length)
    return await this.sendOn(index)
  }

  async sendOn(index: number): Promise<Timed> {
    try {
      if (this.#arm.connection === 'keep-alive') {
        const connection = this.#connections[index]
        if (connection === undefined) throw new Error('no open connection')
        return await connection.send(this.#bytes)
      }
      const startMs = performance.now()
      const connection = this.#connect()
      await connection.connected()
      // Not closed here: "connection: close" makes the server close first, so that its side holds the TIME_WAIT
      // and the client's ports don't run out.
      return await connection.send(this.#bytes, startMs)
    } catch (error) {
      throw new ArmFailure(this.name, error)
    }
  }

  #connect(): HttpConnection {
    return new HttpConnection(this.#pod, this.#arm.method, READ_BUFFER)
  }
}
