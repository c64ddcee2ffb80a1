import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { packageRoot } from '../../../measure/package-root.ts'
import { LabError } from '../lab-error.ts'

/** Programs of the Cargo workspace that are shipped. */
export type ProbeProgram = 'meshmark-datapath' | 'meshmark-probe'

const PURPOSES: Record<ProbeProgram, { readonly what: string; readonly without: string }> = {
  'meshmark-datapath': {
    what: "the loader of meshmark's eBPF data path",
    without: "Without it there is no cilium in the lab: --project '!cilium' measures the rest.",
  },
  'meshmark-probe': {
    what: "the program of meshmark's probes",
    without: 'Everything but probes works without it.',
  },
}

/** Where a program of probes/ may be, best first: named by hand, built here, the optional package of this platform. */
export function probeCandidates(program: ProbeProgram): string[] {
  const named = process.env['MESHMARK_PROBES']
  const platform = `linux-${arch()}`
  return [
    ...(named === undefined || named === '' ? [] : [join(resolve(named), program)]),
    join(packageRoot(), 'probes', 'prebuilt', platform, program),
    ...platformPackage(platform).map((folder) => join(folder, program)),
  ]
}

/** @throws LabError that says what would bring it */
export function findProbeProgram(program: ProbeProgram): string {
  const candidates = probeCandidates(program)
  const found = candidates.find((candidate) => existsSync(candidate))
  if (found !== undefined) return found
  throw new LabError(
    `${program}, ${PURPOSES[program].what}, is not there (looked for ${candidates.join(', ')})`,
    `install the optional package @meshmark/probes-linux-${arch()}, build it in meshmark's checkout (npm run build:probes, needs Rust), or set MESHMARK_PROBES to the folder that holds it. ${PURPOSES[program].without}`,
  )
}

function platformPackage(platform: string): string[] {
  try {
    return [dirname(createRequire(import.meta.url).resolve(`@meshmark/probes-${platform}/package.json`))]
  } catch {
    return []
  }
}
