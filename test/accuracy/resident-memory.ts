/** Resident memory of a `vitest bench`: its main process, its workers and the load agent, from /proc. */
import { readdirSync, readFileSync } from 'node:fs'

export interface Resident {
  readonly role: 'main' | 'worker' | 'agent'
  readonly pid: number
  /** VmRSS of /proc/PID/status. */
  readonly rssBytes: number
  /** Anonymous of /proc/PID/smaps_rollup: the process' own. The rest is mapped files: Node's program and libraries. */
  readonly ownBytes: number
}

/** Of processes together: what is each one's own, and the mapped files once, because it is the same Node in all. */
export function togetherBytes(processes: readonly Resident[]): number {
  const files = processes.map(({ rssBytes, ownBytes }) => rssBytes - ownBytes)
  return processes.reduce((sum, { ownBytes }) => sum + ownBytes, 0) + Math.max(0, ...files)
}

/**
 * The harness' processes under `mainPid`, now. Servers and proxies of the lab have sessions of their own and are not
 * among them: they are what is measured. Programs that the harness runs for a moment (ip, nft) are left out.
 */
export function residentOf(mainPid: number): Resident[] {
  return familyOf(mainPid).flatMap((pid) => resident(pid, mainPid) ?? [])
}

function resident(pid: number, mainPid: number): Resident | undefined {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    if (pid !== mainPid && sessionOf(pid) !== sessionOf(mainPid)) return undefined
    const role =
      pid === mainPid
        ? 'main'
        : command.includes('agent.js')
          ? 'agent'
          : command.includes('vitest')
            ? 'worker'
            : undefined
    if (role === undefined) return undefined
    const rssBytes = kib(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmRSS')
    const ownBytes = kib(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'), 'Anonymous')
    return { role, pid, rssBytes, ownBytes }
  } catch {
    // It has ended meanwhile.
    return undefined
  }
}

function kib(text: string, field: string): number {
  const value = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]
  if (value === undefined) throw new Error(`no ${field}`)
  return Number(value) * 1024
}

function familyOf(mainPid: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!(pid > 0)) continue
    const parent = statField(pid, 1)
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  const family = [mainPid]
  for (const pid of family) family.push(...(children.get(pid) ?? []))
  return family
}

function sessionOf(pid: number): number | undefined {
  return statField(pid, 3)
}

/** Field of /proc/PID/stat, counted from 0 after the command in parentheses (state, ppid, pgrp, session). */
function statField(pid: number, index: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[index])
  } catch {
    return undefined
  }
}
