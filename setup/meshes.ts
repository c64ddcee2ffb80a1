/** Which meshes there are, and in which project each lives. */

/** Meshes that specs may name; those without an environment in this version are refused by name, never ignored. */
export const MESHES = ['baseline', 'cilium', 'istio'] as const
export type MeshName = (typeof MESHES)[number]

/** A project compares one mesh with the baseline; `versus` compares meshes with each other. */
export type ProjectName = MeshName | 'versus'

/** Meshes that this version can bring up in the lab. */
export const LAB_MESHES = ['baseline', 'cilium', 'istio'] as const satisfies readonly MeshName[]
export type LabMeshName = (typeof LAB_MESHES)[number]

export function isLabMesh(name: string): name is LabMeshName {
  return (LAB_MESHES as readonly string[]).includes(name)
}

/**
 * @throws Error that says what there is instead
 */
export function assertLabMesh(name: string, where: string): asserts name is LabMeshName {
  if (isLabMesh(name)) return
  const known = LAB_MESHES.join(', ')
  throw new Error(
    (MESHES as readonly string[]).includes(name) || name === 'versus'
      ? `${where}: "${name}" is not in this version of meshmark's lab, which has ${known}.`
      : `${where}: unknown mesh "${name}". This version of meshmark has ${known}.`,
  )
}
