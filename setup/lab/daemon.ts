import { closeSync, createWriteStream, openSync } from 'node:fs'
import { execa } from 'execa'
import { LabError } from './lab-error.ts'
import { lastLines } from './log-tail.ts'
import type { Pod } from './pod.ts'
import { identify, isRunning } from './process-identity.ts'
import type { ProcessIdentity } from './process-identity.ts'
import { prepared } from './priority.ts'
import { markOf, resolveProgram } from './program-environment.ts'

export interface DaemonOptions {
  readonly name: string
  readonly pod: Pod
  /** CPU list, as taskset takes it. */
  readonly cpus: string
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** File for its stdout and stderr. */
  readonly log: string
  /** Numeric user and group that it runs as; root otherwise. */
  readonly user?: number
  /** Capabilities that it keeps as that user, as setpriv names them (`net_admin`). */
  readonly capabilities?: readonly string[]
}

/** A process of a pod that outlives the worker that started it, until its workload is removed. */
export interface Daemon extends ProcessIdentity {
  readonly name: string
  readonly log: string
  readonly startTicks: string
  /** Undefined while it runs, else how it ended (`when`), with the last lines that it wrote. */
  ended(when?: string): string | undefined
  /** Resolves when its exit status is known, which is a moment after it has ended; at once for another process's daemon. */
  readonly reaped: Promise<void>
}

/** Starts a program in a pod, in a session of its own, pinned. nsenter, taskset and setpriv replace themselves by it: one process, one pid. */
export function startDaemon(options: DaemonOptions): Daemon {
  const { name, pod, cpus, env, cwd, log } = options
  const descriptor = openSync(log, 'a', 0o644)
  // Given to the program itself: nothing flows through this process, which may end before it.
  const output = createWriteStream(log, { fd: descriptor, autoClose: false })
  let exit: string | undefined
  try {
    const subprocess = execa(
      'nsenter',
      [
        `--net=${pod.netns}`,
        '--',
        ...prepared(pod.runId),
        'taskset',
        '-c',
        cpus,
        ...asUser(options),
        ...resolveProgram(options.command),
      ],
      {
        cwd,
        env: { ...env, ...markOf(pod) },
        extendEnv: false,
        stdin: 'ignore',
        stdout: output,
        stderr: output,
        detached: true,
        cleanup: false,
        reject: false,
      },
    )
    subprocess.nodeChildProcess.unref()
    const reaped = subprocess.then((result) => {
      exit = result.signal ? `was ended by ${result.signal}` : `ended with exit code ${result.exitCode ?? 'unknown'}`
    })
    const process = subprocess.pid === undefined ? undefined : identify(subprocess.pid)
    return daemon(name, log, process ?? { pid: subprocess.pid ?? -1, startTicks: '' }, () => exit, reaped)
  } finally {
    closeSync(descriptor)
  }
}

function asUser({ user, capabilities = [] }: DaemonOptions): string[] {
  if (user === undefined) return []
  const kept = capabilities.map((capability) => `,+${capability}`).join('')
  return [
    'setpriv',
    '--reuid',
    String(user),
    '--regid',
    String(user),
    '--clear-groups',
    `--inh-caps=-all${kept}`,
    ...(kept === '' ? [] : [`--ambient-caps=${kept.slice(1)}`]),
    '--',
  ]
}

/** A daemon that another process of this run started. */
export function knownDaemon(name: string, log: string, identity: ProcessIdentity): Daemon {
  return daemon(name, log, identity, () => undefined, Promise.resolve())
}

function daemon(
  name: string,
  log: string,
  identity: ProcessIdentity,
  exit: () => string | undefined,
  reaped: Promise<void>,
): Daemon {
  return {
    ...identity,
    name,
    log,
    reaped,
    ended(when = '') {
      if (isRunning(identity)) return undefined
      const lines = lastLines(log)
      return `${name} (pid ${identity.pid}) ${exit() ?? 'has ended'}${when}${lines ? `; its last lines: ${lines}` : ', having written nothing'}`
    },
  }
}

/** @throws LabError when the daemon has ended, with its exit status where that is ours to know. */
export async function assertRunning(daemon: Daemon): Promise<void> {
  if (daemon.ended() === undefined) return
  await daemon.reaped
  const ended = daemon.ended()
  if (ended) throw new LabError(`${ended}.`)
}
