import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { knownDaemon } from '../daemon.ts'
import type { Daemon } from '../daemon.ts'
import { writeWhole } from '../run-dir.ts'
import { ebpfPaths } from './paths.ts'

const identitySchema = v.object({ pid: v.number(), startTicks: v.string() })
const stateSchema = v.object({
  loader: identitySchema,
  /** How the programs are attached: `tcx` or `clsact`. */
  attach: v.string(),
  /** The node's proxy, once a policy has needed it. */
  proxy: v.optional(v.object({ ...identitySchema.entries, version: v.string() })),
})
type EbpfState = v.InferOutput<typeof stateSchema>

/** What every process of the run knows of the eBPF network's node. */
export function readEbpfState(run: { readonly dir: string }): EbpfState {
  return v.parse(stateSchema, JSON.parse(readFileSync(ebpfPaths(run).state, 'utf8')))
}

export function writeEbpfState(run: { readonly dir: string }, state: EbpfState): void {
  writeWhole(ebpfPaths(run).state, JSON.stringify(state))
}

export function loaderDaemon(run: { readonly dir: string }): Daemon {
  return knownDaemon("the data path's loader", ebpfPaths(run).log, readEbpfState(run).loader)
}
