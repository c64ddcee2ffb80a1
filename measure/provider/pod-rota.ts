/**
 * Which pod of each arm serves a block. Over R blocks every pod of an arm serves once; from one such sweep to the next
 * the arms' pods meet others, so that after R sweeps every pod has met every other: pods are crossed, not tied in pairs.
 */
export function createPodRota(podsOfArms: readonly number[]): (block: number) => readonly number[] {
  const most = Math.max(...podsOfArms)
  return (block) => {
    const sweep = Math.floor(block / most)
    return podsOfArms.map((pods, arm) => (block + arm * sweep) % pods)
  }
}
