import { readFileSync } from 'node:fs'
import type { Check } from './check.ts'

/** The lab is made of Linux's own parts. */
export function checkPlatform(platform: string = process.platform): Check {
  if (platform === 'linux') return { name: 'platform', ok: 'ok', found: `Linux, ${process.arch}` }
  const name = platform === 'darwin' ? 'macOS' : platform === 'win32' ? 'Windows' : platform
  return {
    name: 'platform',
    ok: 'failed',
    found: `${name}: the lab needs Linux`,
    fix: 'Use a Linux VM, a Linux CI runner, or a privileged Docker container (docker run --privileged).',
  }
}

export function checkRoot(uid: number | undefined = process.geteuid?.()): Check {
  if (uid === 0) return { name: 'root', ok: 'ok', found: 'running as root' }
  return {
    name: 'root',
    ok: 'failed',
    found: `running as uid ${uid ?? 'unknown'}, but network namespaces need root`,
    fix: 'Start it with sudo (sudo env "PATH=$PATH" npx …), or on a CI runner, where sudo asks no password.',
  }
}

/** Numbers from linux/capability.h. */
const CAPABILITIES = [
  { name: 'CAP_NET_ADMIN', bit: 12n, needed: true, purpose: 'veth, routes, nftables' },
  { name: 'CAP_SYS_ADMIN', bit: 21n, needed: true, purpose: 'network namespaces' },
  { name: 'CAP_SETUID', bit: 7n, needed: true, purpose: "the proxy's own user" },
  { name: 'CAP_SYS_PTRACE', bit: 19n, needed: true, purpose: "finding a pod's processes" },
  { name: 'CAP_BPF', bit: 39n, needed: false, purpose: 'eBPF programs' },
  { name: 'CAP_PERFMON', bit: 38n, needed: false, purpose: 'eBPF tracing' },
] as const

/** One check for what the lab needs, one for what only eBPF needs. */
export function checkCapabilities(status: string = readFileSync('/proc/self/status', 'utf8')): Check[] {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`)
  return [true, false].map((needed) => {
    const wanted = CAPABILITIES.filter((capability) => capability.needed === needed)
    const missing = wanted.filter(({ bit }) => (effective & (1n << bit)) === 0n)
    const name = needed ? 'capabilities' : 'capabilities for eBPF'
    if (missing.length === 0) return { name, ok: 'ok', found: wanted.map((capability) => capability.name).join(', ') }
    return {
      name,
      ok: needed ? 'failed' : 'warning',
      found: `missing ${missing.map((capability) => `${capability.name} (${capability.purpose})`).join(', ')}`,
      fix: 'Run as root outside a container, or give the container these capabilities (docker run --privileged).',
    }
  })
}
