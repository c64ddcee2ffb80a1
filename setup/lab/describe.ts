import { readFileSync } from 'node:fs'
import { arch, cpus, release, totalmem, type as osType } from 'node:os'
import type { EnvironmentDescription } from '../../measure/record.ts'
import { envoyVersion } from './mesh/istio.ts'
import { standInFor } from './mesh/registry.ts'
import { upMeshes } from './mesh/up-meshes.ts'
import type { RunState } from './run-state.ts'

/** What the record says of this machine and of the meshes that are up. */
export function describeLab(run: RunState): EnvironmentDescription {
  const processors = cpus()
  return {
    kind: 'lab',
    kernel: release(),
    os: osName(),
    arch: arch(),
    cpuModel: processors[0]?.model.trim() ?? 'unknown',
    cpus: processors.length,
    cpuSets: run.cpus,
    memoryBytes: totalmem(),
    node: process.versions.node,
    envoy: envoyVersion(run),
    meshes: upMeshes(run).map((mesh) => standInFor(mesh).describe(run)),
  }
}

function osName(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? osType()
  } catch {
    return osType()
  }
}
