import type { PolicyEntry } from './compiled-policy.ts'
import type { IpProtocol } from './policy.ts'

export interface Verdict {
  readonly verdict: 'allow' | 'deny' | 'proxy'
  readonly rule: number
}

const STRENGTH = { proxy: 1, allow: 2, deny: 3 } as const

/** Deny before allow, allow before proxy: a plain allow beside an HTTP rule for the same flow makes that rule void, as in Cilium. */
export function stronger(a: Verdict['verdict'], b: Verdict['verdict']): boolean {
  return STRENGTH[a] > STRENGTH[b]
}

/** The entries of one set, looked up as the data path does: a constant number of hash probes, all of them made. */
export class PolicyMap {
  readonly #entries = new Map<number, Verdict>()
  readonly #portBits = new Set<number>()

  constructor(entries: readonly PolicyEntry[]) {
    for (const { identity, protocol, port, portBits, verdict, rule } of entries) {
      this.#entries.set(entryKey(identity, protocol, port, portBits), { verdict, rule })
      if (protocol !== 0) this.#portBits.add(portBits)
    }
  }

  /** The strongest verdict among all entries that match; undefined: denied by default. */
  lookup(identity: number, protocol: IpProtocol, port: number): Verdict | undefined {
    let best: Verdict | undefined
    const probe = (key: number): void => {
      const found = this.#entries.get(key)
      if (found && (!best || stronger(found.verdict, best.verdict))) best = found
    }
    for (const who of [identity, 0]) {
      probe(entryKey(who, 0, 0, 0))
      for (const bits of this.#portBits) probe(entryKey(who, protocol, masked(port, bits), bits))
    }
    return best
  }
}

const PROTOCOLS: readonly PolicyEntry['protocol'][] = [0, 1, 6, 17, 58, 132]

/**
 * All four as one number: 16 bits of port, 5 of `portBits` and 3 of protocol leave 29 of the 53 that a number holds exactly; identities
 * have 25 (`FIRST_CIDR_IDENTITY`). Numbers are found faster than strings, and are no garbage.
 */
export function entryKey(identity: number, protocol: PolicyEntry['protocol'], port: number, portBits: number): number {
  return ((identity * 8 + PROTOCOLS.indexOf(protocol)) * 32 + portBits) * 65_536 + port
}

function masked(port: number, bits: number): number {
  return port & (0xffff << (16 - bits)) & 0xffff
}
