import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { writeWhole } from '../run-dir.ts'
import type { Policy } from './policy.ts'
import { policiesIn } from './read-policies.ts'

export const groupEntries = {
  id: v.string(),
  /** Absolute path of the policies. */
  file: v.string(),
  /** Endpoints that are under them, and no others. */
  endpoints: v.array(v.number()),
}
const groupSchema = v.object(groupEntries)
/** Pods and the policies that they are under. */
export type PolicyGroup = v.InferOutput<typeof groupSchema>

interface RunDirectory {
  readonly dir: string
}

export interface PolicyStoreOptions<Group> {
  directoryOf(run: RunDirectory): string
  readonly schema: v.GenericSchema<unknown, Group>
}

/** What is in force by one way of enforcing, as every process of the run knows it: one file for each group. */
export class PolicyStore<Group extends PolicyGroup> {
  readonly #options: PolicyStoreOptions<Group>
  readonly #parsed = new Map<string, readonly Policy[]>()
  #last: Promise<unknown> = Promise.resolve()
  #waiting: Promise<void> | undefined

  constructor(options: PolicyStoreOptions<Group>) {
    this.#options = options
  }

  /** One change at a time: each puts the whole state in force. */
  inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(change, change)
    this.#last = result.catch(() => undefined)
    return result
  }

  /** The same, but one that has not begun yet does for all who ask: it sees what is there when it begins. */
  inTurnOnce(change: () => Promise<void>): Promise<void> {
    this.#waiting ??= this.inTurn(() => {
      this.#waiting = undefined
      return change()
    })
    return this.#waiting
  }

  list(run: RunDirectory): Group[] {
    const directory = this.#options.directoryOf(run)
    mkdirSync(directory, { recursive: true })
    return readdirSync(directory)
      .filter((name) => name.endsWith('.json'))
      .map((name) => v.parse(this.#options.schema, JSON.parse(readFileSync(join(directory, name), 'utf8'))))
  }

  /** From now on these groups are all that there are. */
  replace(run: RunDirectory, groups: readonly Group[]): void {
    const directory = this.#options.directoryOf(run)
    for (const { id } of this.list(run)) {
      if (groups.some((group) => group.id === id)) continue
      this.#parsed.delete(id)
      rmSync(join(directory, `${id}.json`), { force: true })
    }
    for (const group of groups) writeWhole(join(directory, `${group.id}.json`), JSON.stringify(group))
  }

  /** The policies of a group, read once a process: the file may be changed while they are in force. */
  policiesOf({ id, file }: Group): readonly Policy[] {
    let policies = this.#parsed.get(id)
    if (policies === undefined) {
      policies = policiesIn(file)
      this.#parsed.set(id, policies)
    }
    return policies
  }

  /** For a group whose file has been read just now. */
  remember({ id }: Group, policies: readonly Policy[]): void {
    this.#parsed.set(id, policies)
  }
}

/** The groups with those of their endpoints that are there. */
export function living<Group extends PolicyGroup>(
  groups: readonly Group[],
  endpoints: readonly { readonly id: number }[],
): Group[] {
  const there = new Set(endpoints.map(({ id }) => id))
  return without(groups, (id) => !there.has(id))
}

/** The groups without some endpoints; a group that has none left is none. */
export function without<Group extends PolicyGroup>(
  groups: readonly Group[],
  isGone: (endpoint: number) => boolean,
): Group[] {
  return groups
    .map((group) => ({ ...group, endpoints: group.endpoints.filter((id) => !isGone(id)) }))
    .filter(({ endpoints }) => endpoints.length > 0)
}
