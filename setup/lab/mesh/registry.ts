import { baseline } from './baseline.ts'
import { istio } from './istio.ts'
import type { MeshStandIn } from './mesh.ts'

const MESHES = { baseline, istio } satisfies Record<string, MeshStandIn>

/** Meshes that the lab can stand in for. */
export type LabMesh = keyof typeof MESHES

export const LAB_MESHES: readonly LabMesh[] = ['baseline', 'istio']

export function standInFor(mesh: LabMesh): MeshStandIn {
  return MESHES[mesh]
}

/** Whether the lab has a mesh of this name. */
export function isLabMesh(name: string): name is LabMesh {
  return Object.hasOwn(MESHES, name)
}
