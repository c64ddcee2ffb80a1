/** The worker's side of the load agent: one command at a time, and the CPU of an arm read at its windows' edges. */
import { readLines } from '../agent/lines.ts'
import type { AgentArm, AgentPlan, Answer, BlockMeasured, Command, DrivenAlone } from '../agent/protocol.ts'
import type { CpuReading, PodProcess } from '../target.ts'
import type { KernelReading, KernelWindow } from './kernel-use.ts'

export interface UsageWindow {
  readonly start: readonly CpuReading[]
  readonly end: readonly CpuReading[]
}

export interface MeasuredWithUsage extends BlockMeasured {
  /** By arm; an arm may have had several windows in the block. */
  readonly usage: ReadonlyMap<string, readonly UsageWindow[]>
}

/** What the agent says of its arms and its machine before anything is measured. */
export type Opened = Extract<Answer, { type: 'opened' }>

/** A request or connection failed so that the block could not be measured. */
export class BlockFailure extends Error {
  readonly arm: string

  constructor(arm: string, message: string) {
    super(message)
    this.arm = arm
  }
}

export class AgentClient implements AsyncDisposable {
  readonly #process: PodProcess
  readonly #readCpu: (arm: string) => readonly CpuReading[]
  readonly #onArm: (arm: string) => void
  #settle: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined
  #usage = new Map<string, UsageWindow[]>()
  #starts = new Map<string, readonly CpuReading[]>()
  /** Set while a block is measured for what the kernel uses. */
  #readKernel: ((arm: string) => Promise<KernelReading>) | undefined
  #kernelStart: KernelReading | undefined
  #kernel = new Map<string, Omit<KernelWindow, 'requests'>[]>()
  #ended: string | undefined
  #stderr = ''

  constructor(
    process: PodProcess,
    readCpu: (arm: string) => readonly CpuReading[],
    onArm: (arm: string) => void = () => undefined,
  ) {
    this.#process = process
    this.#readCpu = readCpu
    this.#onArm = onArm
    readLines(process.stdout, (line) => this.#hear(line))
    process.stderr.setEncoding('utf8')
    process.stderr.on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-2000)
    })
    process.stdin.on('error', () => undefined)
    void process.ended.then((how) => {
      this.#ended = `the load agent ended: ${how}${this.#stderr === '' ? '' : `\n${this.#stderr}`}`
      this.#settle?.reject(new Error(this.#ended))
    })
  }

  /** Sends one request to each arm. @throws BlockFailure when an arm can't be reached */
  async open(arms: readonly AgentArm[], plan: AgentPlan): Promise<Opened> {
    const answer = await this.#ask({ type: 'open', arms, plan })
    if (answer.type !== 'opened') throw new Error(`the load agent answered "${answer.type}" to "open"`)
    return answer
  }

  /** Measures one block with these pods, one of each arm in the arms' order. @throws BlockFailure */
  async block(index: number, pods: readonly number[], warmUp = false): Promise<MeasuredWithUsage> {
    this.#usage = new Map()
    const answer = await this.#ask({ type: 'block', index, warmUp, pods })
    if (answer.type !== 'block') throw new Error(`the load agent answered "${answer.type}" to "block"`)
    return { ...answer, usage: this.#usage }
  }

  /** A block whose figures are the kernel's in each arm's own window, and nothing else's. @throws BlockFailure */
  async kernelBlock(
    index: number,
    pods: readonly number[],
    usageWindowMs: number,
    readKernel: (arm: string) => Promise<KernelReading>,
  ): Promise<ReadonlyMap<string, readonly KernelWindow[]>> {
    this.#readKernel = readKernel
    this.#kernel = new Map()
    try {
      const answer = await this.#ask({ type: 'block', index, warmUp: false, pods, usageWindowMs })
      if (answer.type !== 'block') throw new Error(`the load agent answered "${answer.type}" to "block"`)
      return new Map(
        answer.arms.map(({ arm, usageRequests: requests }) => {
          // The agent counts over all windows of the arm.
          const windows = this.#kernel.get(arm) ?? []
          return [arm, windows.map((window, index) => ({ ...window, requests: index === 0 ? requests : 0 }))] as const
        }),
      )
    } finally {
      this.#readKernel = undefined
    }
  }

  /** Drives one arm by itself, to one of its pods. @throws BlockFailure */
  async alone(arm: number, pod: number, windowMs: number): Promise<DrivenAlone> {
    const answer = await this.#ask({ type: 'alone', arm, pod, windowMs })
    if (answer.type !== 'alone') throw new Error(`the load agent answered "${answer.type}" to "alone"`)
    return answer
  }

  /** Ends the agent; pending calls reject with `reason`. */
  stop(reason: string): void {
    this.#settle?.reject(new Error(reason))
    this.#process.kill()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill()
    await this.#process.ended
  }

  async #ask(command: Command): Promise<Answer> {
    if (this.#ended !== undefined) throw new Error(this.#ended)
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.#settle = { resolve, reject }
      this.#tell(command)
    })
    if (answer.type === 'failed') throw new BlockFailure(answer.arm, answer.message)
    return answer
  }

  #tell(command: Command): void {
    this.#process.stdin.write(`${JSON.stringify(command)}\n`)
  }

  #hear(line: string): void {
    const answer = JSON.parse(line) as Answer
    if (answer.type !== 'edge') {
      const settle = this.#settle
      this.#settle = undefined
      settle?.resolve(answer)
      return
    }
    this.#atEdge(answer).catch((error: unknown) =>
      this.#settle?.reject(error instanceof Error ? error : new Error(String(error))),
    )
  }

  async #atEdge(answer: Extract<Answer, { type: 'edge' }>): Promise<void> {
    const kernel = await this.#readKernel?.(answer.arm)
    if (answer.edge === 'end' && kernel !== undefined && this.#kernelStart !== undefined) {
      const windows = this.#kernel.get(answer.arm) ?? []
      this.#kernel.set(answer.arm, [...windows, { start: this.#kernelStart, end: kernel }])
    }
    this.#kernelStart = kernel
    const reading = this.#readCpu(answer.arm)
    if (answer.edge === 'start') {
      this.#onArm(answer.arm)
      this.#starts.set(answer.arm, reading)
    } else {
      const windows = this.#usage.get(answer.arm) ?? []
      windows.push({ start: this.#starts.get(answer.arm) ?? [], end: reading })
      this.#usage.set(answer.arm, windows)
    }
    this.#tell({ type: 'go' })
  }
}
