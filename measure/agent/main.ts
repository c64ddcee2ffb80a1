/**
 * The load agent: its own process in the client pod's network. It sends what it is told to send, keeps the time,
 * and knows nothing of meshes or budgets. It ends with its standard input.
 */
import { getPriority } from 'node:os'
import { driveAlone } from './alone.ts'
import { ArmFailure, ArmSender } from './arm-sender.ts'
import { keepAwake } from './keep-awake.ts'
import { readLines } from './lines.ts'
import { createPaired } from './paired.ts'
import type { PlanContext, RunBlock } from './plan-run.ts'
import type { Answer, Command, FirstResponse } from './protocol.ts'
import { createRate } from './rate.ts'
import { createSaturate } from './saturate.ts'
import { watchSelf } from './self-watch.ts'
import { createRandom } from '../statistics/random.ts'

/** A block in which the agent waited for its CPU this much measured its neighbours. */
const MOST_RUN_QUEUE_WAIT = 0.5

let runBlock: RunBlock | undefined
let opened: PlanContext | undefined
let go: (() => void) | undefined

function say(answer: Answer): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}

async function open(command: Extract<Command, { type: 'open' }>): Promise<void> {
  const { arms } = command
  // At the priority of its neighbours a polling agent would only use its share up before the answer is there.
  const plan = { ...command.plan, polling: command.plan.polling && getPriority() < 0 }
  const senders = arms.map((arm) => new ArmSender(arm))
  const responses: FirstResponse[] = []
  for (const [index, sender] of senders.entries()) {
    for (const pod of arms[index]?.pods.keys() ?? []) {
      sender.turnTo(pod)
      await sender.open(1)
      const first = await sender.send()
      responses.push({ arm: sender.name, status: first.status, bodyBytes: first.bodyBytes })
      sender.close()
    }
  }
  const context: PlanContext = {
    plan,
    arms: senders,
    random: createRandom(plan.seed),
    edge: (arm, edge) =>
      new Promise((resolve) => {
        go = resolve
        say({ type: 'edge', arm, edge })
      }),
  }
  opened = context
  runBlock =
    plan.kind === 'paired'
      ? createPaired(context)
      : plan.kind === 'rate'
        ? createRate(context)
        : createSaturate(context, arms)
  say({ type: 'opened', responses, asleep: keepAwake() ?? null, polling: plan.polling })
}

async function block(command: Extract<Command, { type: 'block' }>): Promise<void> {
  if (runBlock === undefined) throw new Error('a block before anything was opened')
  const stopWatching = watchSelf()
  const measured = await runBlock(command.warmUp, command.pods, command.usageWindowMs)
  const self = stopWatching()
  const waited = self.runQueueWaitShare
  say({
    type: 'block',
    index: command.index,
    durationMs: measured.countingMs ?? self.elapsedMs,
    rounds: measured.rounds,
    opened: measured.opened,
    arms: measured.arms,
    note: measured.note,
    invalid:
      measured.invalid ??
      (waited > MOST_RUN_QUEUE_WAIT
        ? `the agent waited ${(waited * 100).toFixed(0)} % of the block for its CPU`
        : null),
    generator: {
      cpuShare: self.cpuShare,
      cpuUsPerRequest: self.cpuUs / Math.max(1, measured.requests),
      runQueueWaitShare: waited,
      eventLoopDelayMaxUs: self.eventLoopDelayMaxUs,
      wantedPerS: measured.wantedPerS,
      achievedPerS: measured.achievedPerS,
      pacingErrorP99Us: measured.pacingErrorP99Us,
      memoryBytes: process.memoryUsage.rss(),
    },
  })
}

async function alone({ arm, pod, windowMs }: Extract<Command, { type: 'alone' }>): Promise<void> {
  const sender = opened?.arms[arm]
  if (opened === undefined || sender === undefined) throw new Error(`there is no arm ${arm}`)
  say(await driveAlone(sender, pod, opened.plan, windowMs))
}

function failed(error: unknown): void {
  say({
    type: 'failed',
    arm: error instanceof ArmFailure ? error.arm : '',
    message: error instanceof Error ? error.message : String(error),
  })
}

readLines(process.stdin, (line) => {
  const command = JSON.parse(line) as Command
  if (command.type === 'open') open(command).catch(failed)
  else if (command.type === 'block') block(command).catch(failed)
  else if (command.type === 'alone') alone(command).catch(failed)
  else go?.()
})
process.stdin.on('end', () => process.exit(0))
// The terminal's Ctrl-C reaches the whole group: the worker decides when the agent ends.
process.on('SIGINT', () => undefined)
