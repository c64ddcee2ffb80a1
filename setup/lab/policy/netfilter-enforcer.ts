import type { PolicyEnforcer } from './enforcer.ts'
export function netfilterEnforcer(_name: string): PolicyEnforcer {
  return { enforce: () => Promise.reject(new Error('to come')) }
}
