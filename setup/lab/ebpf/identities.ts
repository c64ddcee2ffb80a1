import { createHash } from 'node:crypto'

/** Identities under 256 are reserved, as in Cilium; those of CIDRs begin at 1 << 24. */
const FIRST = 256
const COUNT = (1 << 24) - FIRST

/** The numeric identity of pods with these labels and named ports: the same number for the same ones, in every process of every run. */
export function identityOf(
  labels: Readonly<Record<string, string>>,
  ports: readonly { readonly name: string; readonly port: number }[],
): number {
  const sorted = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const digest = createHash('sha256')
    .update(JSON.stringify([sorted, ports]))
    .digest()
  return FIRST + (digest.readUInt32BE(0) % COUNT)
}
