import { readFileSync } from 'node:fs'
import { LabError } from './lab-error.ts'

/** CPU lists as taskset takes them (`0`, `2-3`): everything of the client's side runs on one, everything of the server's on the other. */
export interface CpuSets {
  readonly client: string
  readonly server: string
}

/**
 * The CPUs of the two sides. By default one CPU each, on different physical cores where there are some: on a wider
 * set the scheduler, not the mesh, decides p50 (docs: measuring).
 * @throws LabError where the machine gives us one CPU, or the wanted ones overlap or aren't ours.
 */
export function resolveCpuSets(wanted: CpuSets | undefined, allowed: readonly number[] = allowedCpus()): CpuSets {
  if (wanted) return check(wanted, allowed)
  const [client, second] = allowed
  if (client === undefined || second === undefined) {
    throw new LabError(
      `The lab needs 2 CPUs, one for the client's side and one for the server's; this process may use ${allowed.length}. Use a machine or runner with 2 or more (or widen taskset / the container's cpuset).`,
    )
  }
  const core = coreOf(client)
  const server = allowed.slice(1).find((cpu) => coreOf(cpu) !== core) ?? second
  return { client: String(client), server: String(server) }
}

/** CPUs that this process may use, from its scheduling affinity. */
export function allowedCpus(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''
  return parseCpuList(list) ?? []
}

/** Undefined when `list` is not a CPU list. */
export function parseCpuList(list: string): number[] | undefined {
  const cpus: number[] = []
  for (const part of list.split(',')) {
    const range = /^(\d+)(?:-(\d+))?$/.exec(part.trim())
    if (!range) return undefined
    const first = Number(range[1])
    const last = Number(range[2] ?? range[1])
    if (last < first || last > 8191) return undefined
    for (let cpu = first; cpu <= last; cpu++) cpus.push(cpu)
  }
  return cpus
}

function check(wanted: CpuSets, allowed: readonly number[]): CpuSets {
  const sides = { client: parseCpuList(wanted.client), server: parseCpuList(wanted.server) }
  for (const side of ['client', 'server'] as const) {
    const cpus = sides[side]
    if (!cpus) throw new LabError(`cpus.${side} is "${wanted[side]}", which is no CPU list: write "0" or "2-3".`)
    const strange = cpus.filter((cpu) => !allowed.includes(cpu))
    if (strange.length > 0) {
      throw new LabError(
        `cpus.${side} names CPU ${strange.join(', ')}, which this process may not use: it has ${allowed.join(', ')}.`,
      )
    }
  }
  if (sides.client?.some((cpu) => sides.server?.includes(cpu))) {
    throw new LabError(
      `cpus.client "${wanted.client}" and cpus.server "${wanted.server}" overlap: the load agent would measure itself. Keep them apart.`,
    )
  }
  return wanted
}

function coreOf(cpu: number): string | number {
  try {
    const topology = `/sys/devices/system/cpu/cpu${cpu}/topology`
    return `${readFileSync(`${topology}/physical_package_id`, 'utf8').trim()}/${readFileSync(`${topology}/core_id`, 'utf8').trim()}`
  } catch {
    return cpu
  }
}
