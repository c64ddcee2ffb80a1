import { existsSync } from 'node:fs'
import { probeCandidates } from '../lab/ebpf/loader-binary.ts'

/** Meshes that this installation can bring up: without the loader of its data path there is no cilium in the lab. */
export function meshesOfThisMachine(all: readonly string[]): string[] {
  return all.filter((mesh) => mesh !== 'cilium' || hasLoader())
}

/** What is missing, and how to get it. */
export function whyNoCilium(): string {
  return `meshmark-datapath is in none of ${probeCandidates('meshmark-datapath').join(', ')}. Install the optional package @meshmark/probes-linux-${process.arch}, or set MESHMARK_PROBES to the folder that holds it`
}

function hasLoader(): boolean {
  return probeCandidates('meshmark-datapath').some((candidate) => existsSync(candidate))
}
