import type { LabMeshName } from '../../meshes.ts'
import { baseline } from './baseline.ts'
import { istio } from './istio.ts'
import type { MeshStandIn } from './mesh.ts'

/** Meshes that the lab can stand in for. */
export type LabMesh = LabMeshName

/** One file for each: a name in LAB_MESHES without one does not compile. */
const MESHES: Record<LabMesh, MeshStandIn> = { baseline, istio }

export function standInFor(mesh: LabMesh): MeshStandIn {
  return MESHES[mesh]
}
