import type { LabMeshName } from '../../meshes.ts'
import { LabError } from '../lab-error.ts'
import { baseline } from './baseline.ts'
import { cilium } from './cilium.ts'
import { istio } from './istio.ts'
import type { MeshStandIn } from './mesh.ts'
import { ENFORCEMENTS, routedWith } from './routed-with.ts'
import type { Enforcement } from './routed-with.ts'

export type { Enforcement } from './routed-with.ts'

/** Meshes that the lab can stand in for. */
export type LabMesh = LabMeshName

/** One file for each: a name in LAB_MESHES without one does not compile. */
const MESHES: Record<LabMesh, MeshStandIn> = { baseline, cilium, istio }

/**
 * @param enforcement what enforces policies where no mesh does: for `baseline` only
 * @throws LabError for an enforcement that there is not, or beside a mesh
 */
export function standInFor(mesh: LabMesh, enforcement?: Enforcement): MeshStandIn {
  if (enforcement === undefined) return MESHES[mesh]
  if (!(ENFORCEMENTS as readonly string[]).includes(enforcement)) {
    throw new LabError(`There is no enforcement "${enforcement}". Known: ${ENFORCEMENTS.join(', ')}.`)
  }
  if (mesh !== 'baseline') {
    throw new LabError(
      `"${enforcement}" is for workloads of the baseline: ${mesh} has its own way. Use baseline.workload(…, { enforcement }).`,
    )
  }
  return routedWith(enforcement)
}
