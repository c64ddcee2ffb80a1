import { existsSync } from 'node:fs'
import { probeCandidates } from '../lab/ebpf/loader-binary.ts'

/** Meshes that this installation can bring up: without the loader of its data path there is no cilium in the lab. */
export function meshesOfThisMachine(all: readonly string[]): string[] {
  return all.filter((mesh) => mesh !== 'cilium' || hasLoader())
}

function hasLoader(): boolean {
  return probeCandidates('meshmark-datapath').some((candidate) => existsSync(candidate))
}
