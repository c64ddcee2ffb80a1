import type { Random } from '../statistics/random.ts'

/**
 * Which pod of each arm serves a block. Over R blocks every pod of an arm serves once; from one such sweep to the next
 * the arms' pods meet others: pods are crossed, not tied in pairs. Of the first two arms every pod has met every other after R sweeps. From the
 * third arm on each sweep is in an order of its own, since shifts that cross more than two arms do not exist for every number of pods.
 */
export function createPodRota(podsOfArms: readonly number[], random: Random): (block: number) => readonly number[] {
  const most = Math.max(...podsOfArms)
  const orderOf = (arm: number, sweep: number): number[] => {
    const places = Array.from({ length: most }, (_, place) => sweep * most + place)
    return arm < 2
      ? places.map((place) => place + arm * sweep)
      : random.fork(`pods of arm ${arm} in sweep ${sweep}`).shuffle(places)
  }
  let known = { sweep: -1, orders: [] as number[][] }
  return (block) => {
    const sweep = Math.floor(block / most)
    if (known.sweep !== sweep) known = { sweep, orders: podsOfArms.map((_, arm) => orderOf(arm, sweep)) }
    return podsOfArms.map((pods, arm) => (known.orders[arm]?.[block % most] ?? 0) % pods)
  }
}
