import { existsSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { cgroupRoot } from '../lab/cgroup.ts'
import type { Check } from './check.ts'

const BTF = '/sys/kernel/btf/vmlinux'

export function checkKernel(version: string = release()): Check {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  if (major > 5 || (major === 5 && minor >= 10)) return { name: 'kernel', ok: 'ok', found: version }
  return {
    name: 'kernel',
    ok: 'failed',
    found: `${version}; 5.10 or later is needed`,
    fix: 'Upgrade the kernel: Debian 11, Ubuntu 22.04 and later have one.',
  }
}

/** Type information of the kernel: eBPF programs are fitted to it when they load. */
export function checkBtf(): Check {
  if (existsSync(BTF)) return { name: 'BTF', ok: 'ok', found: BTF }
  return {
    name: 'BTF',
    ok: 'warning',
    found: `no ${BTF}: the lab's cilium can't load, baseline and istio can run`,
    fix: "Use a distribution's kernel (CONFIG_DEBUG_INFO_BTF=y).",
  }
}

/** cgroup v2 is at /sys/fs/cgroup on most systems, beside v1 on some: the mount table knows. */
export function checkCgroup(mounts: string = readFileSync('/proc/self/mounts', 'utf8')): Check {
  const mount = cgroupRoot(mounts)
  if (mount !== undefined) return { name: 'cgroup v2', ok: 'ok', found: mount }
  return {
    name: 'cgroup v2',
    ok: 'warning',
    found: "not mounted: the lab's cilium can't resolve service addresses, baseline and istio can run",
    fix: 'mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 none /sys/fs/cgroup/unified',
  }
}
