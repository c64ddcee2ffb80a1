import type { Drop } from './enforcer.ts'

/** What has been dropped between two readings. */
export function dropsSince(before: readonly Drop[], after: readonly Drop[]): Drop[] {
  return after.flatMap((drop) => {
    const same = before.find(
      ({ pod, reason, rule }) => pod === drop.pod && reason === drop.reason && rule === drop.rule,
    )
    const packets = drop.packets - (same?.packets ?? 0)
    return packets > 0 ? [{ ...drop, packets }] : []
  })
}
