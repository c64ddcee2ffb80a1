import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { writeWhole } from '../run-dir.ts'

const endpointSchema = v.object({
  /** Number of the pod among those of its network, from 1. */
  id: v.number(),
  /** `client`, `p7`. */
  place: v.string(),
  workload: v.string(),
  labels: v.record(v.string(), v.string()),
  addresses: v.array(v.string()),
  /** Of its app, with the names that policies may use. */
  ports: v.pipe(v.array(v.object({ name: v.string(), port: v.number() })), v.readonly()),
})
/** A pod that policies can be about, as every process of the run knows it. */
export type StoredEndpoint = v.InferOutput<typeof endpointSchema>

interface RunDirectory {
  readonly dir: string
}

/** Numbers of the pods that every run has; workloads' pods come after them. */
const FIXED_IDS = { client: 1, stranger: 2, outside: 3 } as const
const FIRST_WORKLOAD_ID = 16

/** By name, or by the number of a workload's pod in the run. */
export function endpointId(place: keyof typeof FIXED_IDS | number): number {
  return typeof place === 'number' ? FIRST_WORKLOAD_ID + place : FIXED_IDS[place]
}

/** The pods of one network: one file each. */
export class EndpointFiles {
  readonly #directoryOf: (run: RunDirectory) => string

  constructor(directoryOf: (run: RunDirectory) => string) {
    this.#directoryOf = directoryOf
  }

  write(run: RunDirectory, endpoint: StoredEndpoint): void {
    mkdirSync(this.#directoryOf(run), { recursive: true })
    writeWhole(this.#fileOf(run, endpoint.id), JSON.stringify(endpoint))
  }

  remove(run: RunDirectory, id: number): void {
    rmSync(this.#fileOf(run, id), { force: true })
  }

  /** All that are there now, by number. */
  list(run: RunDirectory): StoredEndpoint[] {
    const directory = this.#directoryOf(run)
    return readdirSync(directory)
      .filter((name) => name.endsWith('.json'))
      .map((name) => v.parse(endpointSchema, JSON.parse(readFileSync(join(directory, name), 'utf8'))))
      .toSorted((a, b) => a.id - b.id)
  }

  #fileOf(run: RunDirectory, id: number): string {
    return join(this.#directoryOf(run), `${id}.json`)
  }
}
