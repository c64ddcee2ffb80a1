/** `npm test`: every check in order, whatever the ones before came to. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder, ensureBuilt } from './build.mjs'
import { describeFailures } from './failures.mjs'
import { probeTests } from './probes.mjs'
import { runLogged } from './program.mjs'
import { rustLints } from './rust-lints.mjs'
import { SetupError } from './setup-error.mjs'
import { addCounts, countCargo, countVitest, renderCounts } from './test-counts.mjs'

/**
 * A check is a program of node_modules/.bin. `needsBuild`: it looks at dist/ (so do the specs and vitest.config.ts, which
 * import the package by its name). `vitest`: its tests are counted one by one; so are those of the eBPF programs (`probes`, and `kernels`, which boots others), by cargo; `rust`: of rust-lints.mjs; every other check counts as one test.
 * @type {{ name: string, command?: string[], needsBuild?: boolean, vitest?: boolean, rust?: boolean }[]}
 */
export const CHECKS = [
  { name: 'lint', command: ['oxlint', '--deny-warnings'] },
  { name: 'format', command: ['oxfmt', '--check'] },
  { name: 'build' },
  { name: 'types', command: ['tsc', '--noEmit'], needsBuild: true },
  { name: 'publint', command: ['publint', '--strict'], needsBuild: true },
  { name: 'attw', command: ['attw', '--pack', '.', '--profile', 'esm-only'], needsBuild: true },
  { name: 'knip', command: ['knip'] },
  { name: 'rustfmt', rust: true },
  { name: 'clippy', rust: true },
  { name: 'probes' },
  { name: 'kernels', command: ['probes/kernels/matrix.mjs'] },
  { name: 'unit', command: ['vitest', 'run'], needsBuild: true, vitest: true },
  { name: 'e2e', command: ['vitest', 'run', '--config', 'test/e2e/vitest.config.ts'], needsBuild: true, vitest: true },
]

/**
 * @param {{ root: string, node: string, env: NodeJS.ProcessEnv, only: string[], say: (line: string) => void }} options
 *   `only`: names of checks to run, none for all
 * @returns {Promise<import('./test-counts.mjs').Counts>}
 * @throws {SetupError} for a name that no check has
 */
export async function runChecks({ root, node, env, only, say }) {
  const unknown = only.find((name) => !CHECKS.some((check) => check.name === name))
  if (unknown)
    throw new SetupError(`There is no check "${unknown}"; there are ${CHECKS.map((check) => check.name).join(', ')}.`)
  const wanted = CHECKS.filter((check) => only.length === 0 || only.includes(check.name))
  const folder = join(cacheFolder(root), 'test')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const context = { root, node, env, folder, say }

  /** @type {Promise<Awaited<ReturnType<typeof ensureBuilt>>> | undefined} */
  let build
  const results = []
  for (const check of wanted) {
    if (check.name === 'build' || check.needsBuild) build ??= ensureBuilt(root, node, env)
    const result = await runCheck(check, await build, context)
    say(
      `${result.counts.failed > 0 ? 'FAIL' : 'ok  '}  ${check.name.padEnd(8)}${result.seconds.toFixed(1).padStart(7)} s  ${result.note}`,
    )
    if (result.counts.failed > 0 && result.failures) say(indent(result.failures))
    if (result.counts.failed > 0 && result.tail) say(`${indent(result.tail)}\n      (all of it: ${result.log})`)
    results.push(result.counts)
  }
  const total = addCounts(results)
  say(renderCounts(total))
  if (env.MESHMARK_TEST_SUMMARY) writeFileSync(env.MESHMARK_TEST_SUMMARY, `${renderCounts(total)}\n`)
  return total
}

async function runCheck(check, build, { root, node, env, folder, say }) {
  if (check.name === 'build') {
    const note = build.built ? '' : 'up to date'
    return { ...build, counts: countOne(build.exitCode), note, log: join(cacheFolder(root), 'build.log') }
  }
  if (check.needsBuild && build.exitCode !== 0) {
    return { counts: countOne(1), seconds: 0, note: 'not run: the build failed', tail: '' }
  }
  if (check.name === 'probes') return runProbeTests({ root, env, folder, say })
  if (check.name === 'kernels') return runKernels(check.command, { root, node, env, folder, say })
  if (check.rust) return runRustLints(check.name, { root, env, folder, say })
  const [program, ...args] = check.command
  const log = join(folder, `${check.name}.log`)
  const report = join(folder, `${check.name}.json`)
  const reporters = check.vitest ? ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`] : []
  const result = await runLogged([node, join(root, 'node_modules/.bin', program), ...args, ...reporters], {
    cwd: root,
    env: { ...env, NO_COLOR: '1', FORCE_COLOR: undefined },
    log,
    onQuiet: (seconds, lastLine) =>
      say(`      ${check.name}: ${seconds.toFixed(0)} s so far${lastLine ? `: ${lastLine}` : ''}`),
  })
  if (!check.vitest) return { ...result, log, counts: countOne(result.exitCode), note: '' }
  const told = readReport(report)
  const counts = countVitest(told, result.exitCode)
  return { ...result, log, counts, note: renderCounts(counts), failures: describeFailures(told) }
}

/** Up to the first that finds something. */
async function runRustLints(name, { root, env, folder, say }) {
  const log = join(folder, `${name}.log`)
  const runs = await rustLints(name, root, env)
  if (runs === undefined) return { counts: countOne(1), seconds: 0, note: 'not run', tail: NO_RUST, log }
  let seconds = 0
  for (const { command, cwd, env: own } of runs) {
    const onQuiet = (quiet, lastLine) =>
      say(`      ${name}: ${quiet.toFixed(0)} s so far${lastLine ? `: ${lastLine}` : ''}`)
    const result = await runLogged(command, { cwd, env: own, log, onQuiet })
    seconds += result.seconds
    if (result.exitCode !== 0) return { ...result, seconds, log, counts: countOne(1), note: '' }
  }
  return { seconds, log, counts: countOne(0), note: '' }
}

async function runProbeTests({ root, env, folder, say }) {
  const log = join(folder, 'probes.log')
  const tests = await probeTests(root, env)
  if (tests === undefined) {
    return { counts: countOne(1), seconds: 0, note: 'not run', tail: NO_RUST, log }
  }
  const results = []
  for (const [index, { command, cwd, env: own }] of tests.entries()) {
    const part = index === 0 ? log : join(folder, `probes-${index + 1}.log`)
    const result = await runLogged(command, {
      cwd,
      env: own,
      log: part,
      onQuiet: (seconds, lastLine) =>
        say(`      probes: ${seconds.toFixed(0)} s so far${lastLine ? `: ${lastLine}` : ''}`),
    })
    const counts = countCargo(existsSync(part) ? readFileSync(part, 'utf8') : '', result.exitCode)
    results.push({ ...result, log: part, counts })
  }
  const counts = addCounts(results.map((each) => each.counts))
  const shown = results.find((each) => each.exitCode !== 0) ?? results[0]
  const seconds = results.reduce((sum, each) => sum + each.seconds, 0)
  return { ...shown, seconds, counts, note: renderCounts(counts) }
}

async function runKernels(command, { root, node, env, folder, say }) {
  const log = join(folder, 'kernels.log')
  const onQuiet = (seconds, lastLine) =>
    say(`      kernels: ${seconds.toFixed(0)} s so far${lastLine ? `: ${lastLine}` : ''}`)
  const result = await runLogged([node, ...command], { cwd: root, env, log, onQuiet })
  const counts = countCargo(readFileSync(log, 'utf8'), result.exitCode)
  return { ...result, log, counts, note: renderCounts(counts) }
}

const NO_RUST = 'There is no Rust toolchain for eBPF: `npm test` in a checkout without MESHMARK_PROBES installs one.'

/** @param {number} exitCode */
const countOne = (exitCode) => ({ passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1, skipped: 0 })

/** @param {string} path */
function readReport(path) {
  try {
    return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
  } catch {
    return undefined
  }
}

/** @param {string} text */
const indent = (text) => text.replaceAll(/^/gm, '      ')
