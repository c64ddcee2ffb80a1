import { basename } from 'node:path'
import * as v from 'valibot'
import type { Protocol } from '../../../measure/target.ts'
import { LabError } from '../lab-error.ts'
import { isManifestPath, manifestFile, readWorkloadManifest } from './manifest.ts'
import type { ResolvedWorkload } from './resolved-workload.ts'

/** The user's own server: a program of this machine, run in the project's directory, that listens on `port` (also given as $PORT). */
export interface ServerCommand {
  readonly command: readonly string[]
  readonly port: number
  readonly env?: Readonly<Record<string, string>>
  /** Relative to the project; the project itself by default. */
  readonly cwd?: string
  /** What it speaks: `http/1.1` by default. */
  readonly protocol?: Protocol
  /** Labels of its pods, what policies select by, beside `app` with the program's name. */
  readonly labels?: Readonly<Record<string, string>>
}

/** A name (`http-echo`), a path to a manifest, or a command of one's own. */
export type WorkloadSpec = string | ServerCommand

const commandSchema = v.strictObject({
  command: v.pipe(
    v.array(v.string()),
    v.check((command) => Boolean(command[0]), 'it names no program'),
  ),
  port: v.pipe(
    v.number(),
    v.integer(),
    v.minValue(1, 'ports are 1 to 65535'),
    v.maxValue(65535, 'ports are 1 to 65535'),
  ),
  env: v.optional(v.record(v.string(), v.string())),
  cwd: v.optional(v.string()),
  protocol: v.optional(v.picklist(['http/1.1', 'grpc', 'websocket'])),
  labels: v.optional(v.record(v.string(), v.string())),
})

/**
 * Reads what a spec asks for. `root` is the user's project.
 * @throws LabError that names the field, or file, line and column.
 */
export function resolveWorkload(spec: WorkloadSpec, root: string): ResolvedWorkload {
  if (typeof spec === 'string')
    return readWorkloadManifest(manifestFile(spec, root), isManifestPath(spec) ? undefined : spec)
  const parsed = v.safeParse(commandSchema, spec)
  if (!parsed.success) {
    const issue = parsed.issues[0]
    throw new LabError(
      `The workload's ${v.getDotPath(issue) ?? 'form'} is wrong: ${issue.message}. It takes { command: ['node', 'server.js'], port: 3000 }, with env, cwd and protocol if needed.`,
    )
  }
  const { command, port, env = {}, cwd, protocol = 'http/1.1' } = parsed.output
  const name = nameOf(command)
  return {
    name,
    command,
    env: { PORT: String(port), ...env },
    port,
    servicePort: port,
    ports: [],
    labels: { app: name, ...parsed.output.labels },
    cwd,
    protocol,
    notices: [],
  }
}

/** `['node', 'src/server.js']` is `server`: a DNS label, as it becomes part of an identity. */
function nameOf(command: readonly string[]): string {
  // Arguments that look like a file: neither a flag nor the code after `-e`.
  const script = command.slice(1).find((argument) => /^[\w@./][\w@./-]*$/.test(argument)) ?? command[0] ?? ''
  const label = basename(script)
    .replace(/\.[cm]?[jt]s$/, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 40)
  return label === '' ? 'server' : label
}
