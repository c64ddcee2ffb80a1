import { setTimeout as sleep } from 'node:timers/promises'
import type { Daemon } from './daemon.ts'
import { LabError } from './lab-error.ts'
import { holderOf, listeningSockets } from './listening.ts'
import { tail } from './log-tail.ts'
import { processesIn } from './namespaces.ts'
import type { Pod } from './pod.ts'
import { isProxyPort } from './proxy-ports.ts'

const POLL_MS = 5

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
      // One turn of the event loop, so that the exit status is known.
      await sleep(POLL_MS)
      throw new LabError(endedBeforeListening(app, pod, port))
    }
    if (performance.now() > deadline) throw new LabError(notListening(app, port, options.timeoutMs))
    await sleep(POLL_MS)
  }
}

function endedBeforeListening(app: Daemon, pod: Pod, port: number): string {
  const ended = app.ended() ?? `${app.name} has ended`
  const taken =
    /EADDRINUSE[^\n]*?:(\d+)\s*$|[Aa]ddress already in use[^\n]*?:(\d+)\s*$|port:? (\d+)[^\n]*already in use/m.exec(
      tail(app.log),
    )
  if (!/EADDRINUSE|[Aa]ddress already in use/.test(tail(app.log))) {
    return `${ended} before it listened on port ${port}. Fix the command, or see the whole log: ${app.log}`
  }
  const takenPort = Number(taken?.[1] ?? taken?.[2] ?? taken?.[3] ?? port)
  return `Port ${takenPort} in the pod is already taken by ${takenBy(pod, takenPort)}: ${ended}. Listen on another port, or only once.`
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
  if (others.length > 0)
    return `${waited}; it listens on ${others.join(', ')}. Say that port in the workload, or let the server read $PORT.`
  return `${waited}, nor on any other. Its log: ${app.log}`
}
