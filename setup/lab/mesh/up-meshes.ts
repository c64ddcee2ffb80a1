import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { RunState } from '../run-state.ts'
import { writeWhole } from '../run-dir.ts'
import { LAB_MESHES } from '../../meshes.ts'
import type { LabMesh } from './registry.ts'

/** Tells the run's other processes that a mesh is up. */
export function markUp(run: RunState, mesh: LabMesh): void {
  writeWhole(markerOf(run, mesh), '')
}

export function isUp(run: RunState, mesh: LabMesh): boolean {
  return existsSync(markerOf(run, mesh))
}

export function upMeshes(run: RunState): LabMesh[] {
  return LAB_MESHES.filter((mesh) => isUp(run, mesh))
}

function markerOf(run: RunState, mesh: LabMesh): string {
  return join(run.dir, `${mesh}.up`)
}
