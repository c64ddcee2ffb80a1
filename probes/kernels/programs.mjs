/** The programs and their tests, as `npm test -- probes` builds them. */
import { spawnSync } from 'node:child_process'
import { probeTests } from '../../setup/bootstrap/probes.mjs'
import { SetupError } from '../../setup/bootstrap/setup-error.mjs'

/**
 * Paths.
 * @typedef {{ datapath: string, datapathTests: string, probe: string, probeTests: string }} Programs
 */

/**
 * Builds what is not built.
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Programs>}
 * @throws {SetupError} without a toolchain, or when the build fails
 */
export async function testPrograms(root, env) {
  const tests = await probeTests(root, env)
  if (!tests) throw new SetupError('There is no Rust toolchain for eBPF: `npm test` installs one.')
  const [{ command, cwd, env: own }] = tests
  const [program, ...args] = [...command, '--no-run', '--message-format', 'json']
  const result = spawnSync(program, args, { cwd, env: own, encoding: 'utf8', maxBuffer: 1 << 28 })
  if (result.status !== 0)
    throw new SetupError(`The tests of the eBPF programs can't be built:\n${result.stderr ?? result.error?.message}`)
  const built = result.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter((message) => message.reason === 'compiler-artifact' && message.executable)
  const find = (kind, name, test) => {
    const found = built.find(
      ({ target, profile }) => target.kind[0] === kind && target.name === name && profile.test === test,
    )
    if (!found) throw new SetupError(`cargo has built no ${name}`)
    return found.executable
  }
  return {
    datapath: find('bin', 'meshmark-datapath', false),
    datapathTests: find('test', 'datapath', true),
    probe: find('bin', 'meshmark-probe', false),
    probeTests: find('test', 'probe', true),
  }
}
