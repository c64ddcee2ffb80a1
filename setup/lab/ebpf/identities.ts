import { createHash } from 'node:crypto'

/** Identities under 256 are reserved, as in Cilium; those of CIDRs begin at 1 << 24. */
const FIRST = 256
const COUNT = (1 << 24) - FIRST

/** The numeric identity of pods with these labels: the same number for the same labels, in every process of every run. */
export function identityOf(labels: Readonly<Record<string, string>>): number {
  const sorted = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const digest = createHash('sha256').update(JSON.stringify(sorted)).digest()
  return FIRST + (digest.readUInt32BE(0) % COUNT)
}
