import type { Progress } from '../measure/progress.ts'
import { duration, estimate, NBSP } from './figures.ts'

/** Progress as one line: `meshmark  istio › HTTP through the mesh   baseline ⇄ istio   block 24   9.1 s of 30 s   p50 …`. */
export function progressLine(progress: Progress): string {
  const { phase, block, currentArm, elapsedMs, capMs, arms, estimate: latest } = progress
  const parts = [
    `${progress.project} › ${progress.test}`,
    arms.join(' ⇄ '),
    ...(currentArm === null ? [] : [`now ${currentArm}`]),
    phase === 'measuring' ? `block ${block}` : phase,
    `${duration(elapsedMs)} of ${duration(capMs)}`,
    ...(latest === null ? [] : [estimateOf(latest, arms)]),
  ]
  return `meshmark  ${parts.join('   ')}`.replaceAll(NBSP, ' ')
}

function estimateOf(latest: NonNullable<Progress['estimate']>, arms: readonly string[]): string {
  // With two arms there is only one that the estimate can be of.
  const whose = arms.length > 2 ? `${latest.arm} ` : ''
  return `${whose}${latest.of} ${estimate(latest.relative, latest.low, latest.high)}`
}
