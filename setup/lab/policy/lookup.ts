import { LabError } from '../lab-error.ts'
import { parseAddress } from './address.ts'
import { knownPrefix } from './cidr-identities.ts'
import type { CompiledPolicy } from './compiled-policy.ts'
import type { Direction } from './policy.ts'
import { PolicyMap } from './policy-map.ts'
import { HOST_IDENTITY, WORLD_IDENTITY } from './world.ts'
import type { Flow, World } from './world.ts'

/** What one side of a flow says; null where there is no pod on that side, or no policy for it. */
export interface Judgement {
  readonly verdict: 'allow' | 'deny' | 'proxy'
  /** 0: no rule says so, the policies deny by default (or leave open). */
  readonly rule: number
}

export interface Prediction {
  readonly verdict: 'allow' | 'deny' | 'proxy'
  readonly egress: Judgement | null
  readonly ingress: Judgement | null
}

interface CacheEntry {
  readonly identity: number
  readonly endpoint: number
}

/**
 * The data path's verdict on the first packet of a flow, step by step as it makes it: identities by longest prefix, the
 * sender's egress set, the receiver's ingress set.
 */
export function lookupIn(compiled: CompiledPolicy, world: World): (flow: Flow) => Prediction {
  const cache = new AddressCache(compiled, world)
  const maps = new Map(compiled.sets.map(({ name, entries }) => [name, new PolicyMap(entries)]))
  const sets = new Map(compiled.endpoints.map((sets) => [sets.endpoint, sets]))

  function judge(own: CacheEntry, peer: CacheEntry, direction: Direction, flow: Flow): Judgement | null {
    const name = sets.get(own.endpoint)?.[direction]
    if (name === undefined || name === null) return null
    // The node always reaches its pods, as in Cilium (allow-localhost), for kubelet's probes.
    if (direction === 'ingress' && peer.identity === HOST_IDENTITY) return null
    const map = maps.get(name)
    if (!map) throw new LabError(`There is no set ${name}.`)
    return map.lookup(peer.identity, flow.protocol, flow.port) ?? { verdict: 'deny', rule: 0 }
  }

  return (flow) => {
    const [source, destination] = [cache.find(flow.source), cache.find(flow.destination)]
    const egress = judge(source, destination, 'egress', flow)
    const ingress = egress?.verdict === 'deny' ? null : judge(destination, source, 'ingress', flow)
    const verdicts = [egress?.verdict, ingress?.verdict]
    return {
      verdict: verdicts.includes('deny') ? 'deny' : verdicts.includes('proxy') ? 'proxy' : 'allow',
      egress,
      ingress,
    }
  }
}

/** The `ipcache` map. */
class AddressCache {
  /** By family and length of the prefix, then by its first address. */
  readonly #tables = new Map<string, { length: number; family: 4 | 6; entries: Map<bigint, CacheEntry> }>()

  constructor({ identities }: CompiledPolicy, { endpoints, hostAddresses }: World) {
    for (const { prefix, identity } of identities) this.#set(prefix, { identity, endpoint: 0 })
    for (const address of hostAddresses) this.#set(address, { identity: HOST_IDENTITY, endpoint: 0 })
    for (const { addresses, identity, id } of endpoints) {
      for (const address of addresses) this.#set(address, { identity, endpoint: id })
    }
  }

  #set(prefix: string, entry: CacheEntry): void {
    const { family, length, first } = knownPrefix(prefix)
    const key = `${family}/${length}`
    const table = this.#tables.get(key) ?? { length, family, entries: new Map<bigint, CacheEntry>() }
    table.entries.set(first, entry)
    this.#tables.set(key, table)
  }

  find(text: string): CacheEntry {
    const address = parseAddress(text)
    if (!address) throw new LabError(`"${text}" is no address.`)
    let best: { length: number; entry: CacheEntry } | undefined
    for (const { length, family, entries } of this.#tables.values()) {
      if (family !== address.family || (best && best.length > length)) continue
      const free = BigInt((family === 4 ? 32 : 128) - length)
      const entry = entries.get((address.value >> free) << free)
      if (entry) best = { length, entry }
    }
    return best?.entry ?? { identity: WORLD_IDENTITY, endpoint: 0 }
  }
}
