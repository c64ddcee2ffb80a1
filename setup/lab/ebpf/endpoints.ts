import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { writeWhole } from '../run-dir.ts'
import { ebpfPaths } from './paths.ts'

const endpointSchema = v.object({
  /** Number that the data path knows it by, from 1. */
  id: v.number(),
  /** `client`, `p7`. */
  place: v.string(),
  workload: v.string(),
  labels: v.record(v.string(), v.string()),
  addresses: v.array(v.string()),
  /** Of its app, with the names that policies may use. */
  ports: v.pipe(v.array(v.object({ name: v.string(), port: v.number() })), v.readonly()),
})
/** A pod of the eBPF network, as every process of the run knows it. */
export type Endpoint = v.InferOutput<typeof endpointSchema>

/** Numbers of the pods that every run has; workloads' pods come after them. */
const FIXED_IDS = { client: 1, stranger: 2, outside: 3 } as const
const FIRST_WORKLOAD_ID = 16

export function endpointId(place: keyof typeof FIXED_IDS | number): number {
  return typeof place === 'number' ? FIRST_WORKLOAD_ID + place : FIXED_IDS[place]
}

export function writeEndpoint(run: { readonly dir: string }, endpoint: Endpoint): void {
  const { endpoints } = ebpfPaths(run)
  mkdirSync(endpoints, { recursive: true })
  writeWhole(fileOf(run, endpoint.id), JSON.stringify(endpoint))
}

export function removeEndpoint(run: { readonly dir: string }, id: number): void {
  rmSync(fileOf(run, id), { force: true })
}

/** All pods of the network that are there now, by number. */
export function listEndpoints(run: { readonly dir: string }): Endpoint[] {
  const { endpoints } = ebpfPaths(run)
  return readdirSync(endpoints)
    .filter((name) => name.endsWith('.json'))
    .map((name) => v.parse(endpointSchema, JSON.parse(readFileSync(join(endpoints, name), 'utf8'))))
    .toSorted((a, b) => a.id - b.id)
}

function fileOf(run: { readonly dir: string }, id: number): string {
  return join(ebpfPaths(run).endpoints, `${id}.json`)
}
