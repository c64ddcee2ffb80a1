import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import * as v from 'valibot'
import { parseProbeReport, probeReadySchema } from './probe-report.ts'
import type { ProbeReady, ProbeReport } from './probe-report.ts'

const answerSchema = v.union([v.object({ error: v.string() }), v.object({ ok: v.unknown() })])

export type ProbeKind = ProbeReport['probes'][number]

export interface ProbeOptions {
  /** Path of `meshmark-probe`. */
  readonly program: string
  readonly probes: readonly ProbeKind[]
  /** As on its command line: `name=netns:/run/netns/…`. */
  readonly targets: readonly string[]
  /** Follows one request in eight: `wire` and `own` in the report. */
  readonly follow?: boolean
  /** Programs that do nothing where the latency probe's are: what being called costs by itself. */
  readonly empty?: boolean
}

/** The probes refused, or ended; the message is their own sentence. */
export class ProbeError extends Error {}

/**
 * Probes that are attached: held by a process of their own, and gone with it. What is asked is answered in order.
 * `await using probes = await ProbeClient.attach(…)` detaches them at the end.
 */
export class ProbeClient implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #lines: AsyncIterator<string>
  readonly #ended: Promise<void>
  #said = ''
  #turn: Promise<unknown> = Promise.resolve()
  /** Which rung of the ladder each hook is on. */
  readonly ready: ProbeReady

  private constructor(started: Started, ready: ProbeReady) {
    this.#process = started.process
    this.#lines = started.lines
    this.#ended = started.ended
    started.hear((said) => (this.#said = said))
    this.ready = ready
  }

  /** Returns when every program is attached. @throws ProbeError with what the kernel or the program said */
  static async attach(options: ProbeOptions): Promise<ProbeClient> {
    const started = start(options)
    const first = await started.lines.next()
    if (first.done === true) {
      await started.ended
      throw new ProbeError(started.said() || `${options.program} ended before it was ready`)
    }
    return new ProbeClient(started, v.parse(probeReadySchema, JSON.parse(first.value)))
  }

  /** What was seen since the last reset. */
  async snapshot(): Promise<ProbeReport> {
    return parseProbeReport(await this.#ask({ op: 'snapshot' }))
  }

  /** Counts from here on. */
  async reset(): Promise<void> {
    await this.#ask({ op: 'reset' })
  }

  /** Counts the programs' own runs and time from here on, or no longer; counting costs 40 to 80 ns a run. */
  async countCost(on: boolean): Promise<void> {
    await this.#ask({ op: 'cost', on })
  }

  /** Detaches, and tells what was seen. */
  async stop(): Promise<ProbeReport> {
    const report = parseProbeReport(await this.#ask({ op: 'stop' }))
    await this.#ended
    return report
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin.end()
    await this.#ended
  }

  #ask(request: object): Promise<unknown> {
    const answer = this.#turn.then(() => this.#exchange(request))
    this.#turn = answer.catch(() => undefined)
    return answer
  }

  async #exchange(request: object): Promise<unknown> {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`)
    const line = await this.#lines.next()
    if (line.done === true) throw new ProbeError(this.#said || 'meshmark-probe has ended')
    const answer = v.parse(answerSchema, JSON.parse(line.value))
    if ('error' in answer) throw new ProbeError(answer.error)
    return answer.ok
  }
}

interface Started {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>
  readonly lines: AsyncIterator<string>
  readonly ended: Promise<void>
  said(): string
  hear(listener: (said: string) => void): void
}

function start({ program, probes, targets, follow, empty }: ProbeOptions): Started {
  const options = [
    ...targets.flatMap((target) => ['--target', target]),
    ...(follow ? ['--follow'] : []),
    ...(empty ? ['--empty'] : []),
  ]
  const process = spawn(program, [...probes, '--control', ...options], { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  let listener = (_said: string): void => {}
  process.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
    listener(said.trim())
  })
  // Writing to a process that has ended: its end is told by its output.
  process.stdin.on('error', () => {})
  const ended = new Promise<void>((resolve) => {
    process.once('error', (error) => {
      said = `${program} can't be started: ${error.message}`
      resolve()
    })
    process.once('close', () => resolve())
  })
  return {
    process,
    lines: createInterface({ input: process.stdout })[Symbol.asyncIterator](),
    ended,
    said: () => said.trim(),
    hear: (next) => {
      listener = next
      listener(said.trim())
    },
  }
}
