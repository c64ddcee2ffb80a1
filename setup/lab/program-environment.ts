import type { Pod } from './pod.ts'

/** Variables that steer Node or Vitest in our own process and would follow into a program that is measured. */
const OURS = /^(?:NODE_OPTIONS|NODE_V8_COVERAGE|NODE_CHANNEL_FD|NODE_CHANNEL_SERIALIZATION_MODE|VITEST.*|VITE_.*)$/

/**
 * Every program of the lab carries the pod that it was started for. A namespace finds its processes only once they have
 * entered it: this finds one that was caught on its way in, too.
 */
const MARK = 'MESHMARK_POD'

/** What the mark of one pod's programs looks like in /proc/PID/environ; without `place`, how those of a whole run begin. */
export function podMark(runId: string, place = ''): string {
  return `${MARK}=${runId}/${place}`
}

/** The pod's mark as an environment. */
export function markOf(pod: Pod): Record<string, string> {
  return { [MARK]: `${pod.runId}/${pod.place}` }
}

/**
 * The mark of a program that makes something of a run (`ip`, `nft`, `openssl`): the tear-down ends it half-way, so that it
 * can't make anything behind the tear-down's back.
 */
export function markOfRun(runId: string): Record<string, string> {
  return { [MARK]: `${runId}/` }
}

/** The environment for a program in a pod: the user's own without what Vitest and Node put there for the test worker. */
export function programEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env)) {
    if (value === undefined || OURS.test(name)) continue
    // Vitest sets NODE_ENV to "test" where it is unset: a server under measurement would log or skip caches.
    if (name === 'NODE_ENV' && value === 'test') continue
    environment[name] = value
  }
  return { ...environment, ...extra }
}

/** `node` is the Node that runs us: the machine's own may be another one, or none. */
export function resolveProgram(command: readonly string[]): string[] {
  const [program, ...rest] = command
  return [program === undefined || program === 'node' ? process.execPath : program, ...rest]
}
