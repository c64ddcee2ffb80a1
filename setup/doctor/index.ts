export type { Check } from './check.ts'
export { runChecks } from './checks.ts'
export { renderChecks } from './render-checks.ts'
