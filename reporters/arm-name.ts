import type { Arm, Comparison } from '../measure/record.ts'

/** An arm as it is printed: a lab stand-in always says so. */
export const armName = (arm: Pick<Arm, 'name' | 'standIn'>): string => (arm.standIn ? `${arm.name} (lab)` : arm.name)

/** The printed name of an arm of a comparison. */
export function nameOfArm(comparison: Pick<Comparison, 'arms'>, name: string): string {
  const arm = comparison.arms.find((each) => each.name === name)
  return arm === undefined ? name : armName(arm)
}

/** Where a comparison was made: `istio › HTTP through the mesh`. */
export const comparisonTitle = (comparison: Pick<Comparison, 'project' | 'test'>): string =>
  `${comparison.project} › ${comparison.test}`
