import { setTimeout as sleep } from 'node:timers/promises'
import type { Daemon } from './daemon.ts'
import { LabError } from './lab-error.ts'
import { holderOf, listeningSockets } from './listening.ts'
import { lastLines, tail } from './log-tail.ts'
import { processesIn } from './namespaces.ts'
import type { Pod } from './pod.ts'
import { isProxyPort } from './proxy-ports.ts'

const POLL_MS = 5

/** How Node, and the C library's strerror() for others, name EADDRINUSE. */
const IN_USE = /EADDRINUSE|address already in use/i

export interface ReadinessOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Waits until the pod listens on `port` for connections from outside.
 * @throws LabError when the app ends first, or listens elsewhere or only on the loopback device at the time-out; the signal's reason when aborted.
 */
export async function waitUntilListening(
  app: Daemon,
  pod: Pod,
  port: number,
  options: ReadinessOptions,
): Promise<void> {
  const deadline = performance.now() + options.timeoutMs
  for (;;) {
    options.signal?.throwIfAborted()
    const sockets = listeningSockets(app.pid)
    if (sockets.some((socket) => socket.port === port && !socket.loopback)) return
    if (app.ended() !== undefined) {
      await app.reaped
      throw new LabError(endedBeforeListening(app, pod, port))
    }
    if (performance.now() > deadline) throw new LabError(notListening(app, port, options.timeoutMs))
    await sleep(POLL_MS)
  }
}

function endedBeforeListening(app: Daemon, pod: Pod, port: number): string {
  const log = tail(app.log)
  if (!IN_USE.test(log)) {
    return `${app.ended(` before it listened on port ${port}`) ?? app.name}. Fix the command or its environment.`
  }
  const taken = Number(/(?:EADDRINUSE|in use)[^\n]*?:(\d+)\s*$/m.exec(log)?.[1] ?? port)
  return `Port ${taken} in the pod is already taken by ${takenBy(pod, taken)}: ${app.ended() ?? app.name}. Listen on another port, or only once.`
}

function takenBy(pod: Pod, port: number): string {
  if (isProxyPort(port)) return "the mesh's proxy"
  const pids = processesIn([pod.namespace])
  const socket = pids.flatMap((pid) => listeningSockets(pid)).find((candidate) => candidate.port === port)
  return (socket && holderOf(socket.inode, pids)) ?? 'a process of the same command that has ended since'
}

function notListening(app: Daemon, port: number, timeoutMs: number): string {
  const waited = `${app.name} (pid ${app.pid}) did not listen on port ${port} within ${timeoutMs / 1000} s`
  const sockets = listeningSockets(app.pid).filter((socket) => !isProxyPort(socket.port))
  if (sockets.some((socket) => socket.port === port)) {
    return `${waited} but on the loopback address only, where no other pod reaches it. Let it listen on 0.0.0.0 (or "::").`
  }
  const others = [...new Set(sockets.map((socket) => socket.port))]
  const lines = lastLines(app.log)
  if (others.length > 0)
    return `${waited}; it listens on ${others.join(', ')}. Say that port in the workload, or let the server read $PORT.`
  return `${waited}, nor on any other${lines ? `; its last lines: ${lines}` : ', and has written nothing'}. Check that its port is ${port}.`
}
