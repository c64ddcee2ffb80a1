import { existsSync } from 'node:fs'
import { probeCandidates } from '../lab/ebpf/loader-binary.ts'
import { ENVOY_VERSION, findEnvoy } from '../lab/envoy/binary.ts'
import { LabError } from '../lab/lab-error.ts'
import { findOnPath } from '../lab/program-path.ts'
import type { Check } from './check.ts'

/** Programs that the lab runs, with the Debian package of each. */
const TOOLS: { readonly [program: string]: string } = {
  ip: 'iproute2',
  nft: 'nftables',
  openssl: 'openssl',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  taskset: 'util-linux',
  sysctl: 'procps',
}

/** One check in all when every tool is there, else one for each that is missing. */
export function checkTools(path: string = process.env['PATH'] ?? ''): Check[] {
  const missing = Object.keys(TOOLS).filter((program) => findOnPath(program, path).length === 0)
  if (missing.length === 0) return [{ name: 'tools', ok: 'ok', found: Object.keys(TOOLS).join(', ') }]
  return missing.map((program) => ({
    name: `tool ${program}`,
    ok: 'failed',
    found: `${program} is not on PATH`,
    fix: `apt-get install ${TOOLS[program] ?? program} (Debian, Ubuntu; the package has the same name elsewhere). As a plain user, /usr/sbin may be missing in PATH.`,
  }))
}

export async function checkEnvoy(option?: string): Promise<Check> {
  try {
    const envoy = await findEnvoy(option)
    const found = `${envoy.version} (${envoy.path})`
    if (envoy.version === ENVOY_VERSION) return { name: 'Envoy', ok: 'ok', found }
    return {
      name: 'Envoy',
      ok: 'warning',
      found,
      fix: `The lab was built with ${ENVOY_VERSION}: numbers of another version aren't comparable. Set MESHMARK_ENVOY.`,
    }
  } catch (error) {
    if (!(error instanceof LabError)) throw error
    return { name: 'Envoy', ok: 'failed', found: error.found, ...(error.fix === undefined ? {} : { fix: error.fix }) }
  }
}

/** Programs that a comparison with iptables needs; everything else runs without. */
export function checkIptables(path: string = process.env['PATH'] ?? ''): Check {
  const [found] = findOnPath('iptables-restore', path)
  if (found !== undefined) return { name: 'iptables', ok: 'ok', found }
  return {
    name: 'iptables',
    ok: 'warning',
    found: 'iptables-restore is not on PATH: policies can be compared with nftables only',
    fix: 'apt-get install iptables',
  }
}

/** The loader of the lab's cilium. */
export function checkDatapath(): Check {
  const candidates = probeCandidates('meshmark-datapath')
  const found = candidates.find((candidate) => existsSync(candidate))
  if (found !== undefined) return { name: 'data path', ok: 'ok', found }
  return {
    name: 'data path',
    ok: 'warning',
    found: `meshmark-datapath is in none of ${candidates.join(', ')}: there is no cilium in the lab`,
    fix: `npm install @meshmark/probes-linux-${process.arch}, or build it in meshmark's checkout (npm run build:probes), or set MESHMARK_PROBES to the folder that holds it.`,
  }
}
