import type { Check } from './check.ts'
import { checkCapabilities, checkPlatform, checkRoot } from './privileges.ts'
import { checkBtf, checkCgroup, checkKernel } from './kernel.ts'
import { checkCpus, checkMemory, checkNode } from './machine.ts'
import { checkNoise, checkSteal } from './noise.ts'
import { checkRuns } from './runs.ts'
import { checkDatapath, checkEnvoy, checkIptables, checkTools } from './tools.ts'

/**
 * Looks whether this machine can run the lab, and how quiet it is. Changes nothing; takes about 1.5 s.
 * Off Linux there is nothing further to look at: one check says where to go.
 */
export async function runChecks(): Promise<Check[]> {
  const platform = checkPlatform()
  if (platform.ok === 'failed') return [platform]
  const root = checkRoot()
  const still = [
    platform,
    root,
    // Without root they are all missing: that was said already.
    ...(root.ok === 'ok' ? checkCapabilities() : []),
    checkKernel(),
    checkBtf(),
    checkCgroup(),
    ...checkTools(),
    checkIptables(),
    checkDatapath(),
    await checkEnvoy(),
    checkNode(),
    checkCpus(),
    checkMemory(),
    ...checkRuns(),
  ]
  // Last and one after the other: their own work must not disturb what they measure.
  return [...still, await checkSteal(), checkNoise()]
}
