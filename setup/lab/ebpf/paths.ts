import { join } from 'node:path'

/** Files of the eBPF network in a run's directory. */
export function ebpfPaths(run: { readonly dir: string }): {
  readonly directory: string
  readonly socket: string
  readonly state: string
  readonly log: string
  readonly endpoints: string
  readonly policies: string
} {
  const directory = join(run.dir, 'ebpf')
  return {
    directory,
    socket: join(directory, 'loader.sock'),
    state: join(directory, 'state.json'),
    log: join(directory, 'loader.log'),
    endpoints: join(directory, 'endpoints'),
    policies: join(directory, 'policies'),
  }
}
