import { closeSync, openSync, readdirSync, readSync } from 'node:fs'

/** CPU time of one process, cheap enough to read twice around a window of 40 ms. */
export interface ThreadClock {
  /** Ended processes keep what they used. */
  readonly running: boolean
  readNs(): number
  close(): void
}

interface Thread {
  descriptor: number | undefined
  ns: number
}

/** Shared by all reads: nothing is allocated between two readings of a window. */
const buffer = Buffer.alloc(64)

/**
 * Sums the time on CPU of a process's threads, ns: the first field of /proc/PID/task/TID/schedstat (sched-stats.rst).
 * The files stay open, as a read at offset 0 makes the kernel write them anew. A thread that has ended keeps its last
 * value, so that sums never fall. The kernel brings a value up to date when the thread leaves its CPU and at each tick:
 * of one that runs just now up to a tick (1 to 4 ms) is missing.
 */
export function threadClock(pid: number): ThreadClock {
  const threads = new Map<string, Thread>()
  let running = true
  let closed = false

  function find(): void {
    let names: string[]
    try {
      names = readdirSync(`/proc/${pid}/task`)
    } catch {
      running = false
      return
    }
    for (const name of names) {
      if (threads.has(name)) continue
      const descriptor = open(`/proc/${pid}/task/${name}/schedstat`)
      if (descriptor !== undefined) threads.set(name, { descriptor, ns: 0 })
    }
  }

  return {
    get running() {
      return running
    },
    readNs() {
      if (!closed && running) find()
      let sum = 0
      for (const thread of threads.values()) {
        readThread(thread)
        sum += thread.ns
      }
      return sum
    },
    close() {
      closed = true
      for (const thread of threads.values()) closeThread(thread)
    },
  }
}

function readThread(thread: Thread): void {
  if (thread.descriptor === undefined) return
  try {
    const length = readSync(thread.descriptor, buffer, 0, buffer.length, 0)
    thread.ns = Number.parseInt(buffer.toString('latin1', 0, length), 10)
  } catch {
    // ESRCH: the thread has ended.
    closeThread(thread)
  }
}

function closeThread(thread: Thread): void {
  if (thread.descriptor !== undefined) closeSync(thread.descriptor)
  thread.descriptor = undefined
}

function open(file: string): number | undefined {
  try {
    return openSync(file, 'r')
  } catch {
    return undefined
  }
}
