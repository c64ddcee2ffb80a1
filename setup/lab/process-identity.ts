import { readFileSync } from 'node:fs'

/**
 * A process that a recycled pid can't be mistaken for: the start time is in clock ticks since boot,
 * field 22 of /proc/PID/stat (proc_pid_stat(5)).
 */
export interface ProcessIdentity {
  readonly pid: number
  readonly startTicks: string
}

/** The process that has this pid now; undefined when there is none, or only its zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  // The command name (field 2) may hold spaces and brackets, so fields are counted from its last bracket: state is field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  const startTicks = fields[19]
  if (startTicks === undefined || state === 'Z' || state === 'X') return undefined
  return { pid, startTicks }
}

/** Whether exactly this process still runs. */
export function isRunning(process: ProcessIdentity): boolean {
  return identify(process.pid)?.startTicks === process.startTicks
}
