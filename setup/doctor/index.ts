export { runChecks } from './checks.ts'
export { renderChecks } from './render-checks.ts'
