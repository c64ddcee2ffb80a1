/** `npx meshmark …` as installed from the tarball. \`clean\` is in signals.test.ts, beside the runs that it needs. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, inject, test } from 'vitest'
import { validRecord } from './harness/record.ts'
import { benchFolder, plainEnvironment } from './harness/run-bench.ts'
import { configuration, quickSpec } from './harness/sources.ts'
import { whatWentWrong } from './harness/what-went-wrong.ts'

const { directory } = inject('packedProject')

/** npx finds the command in the project above; without a network. */
const meshmark = (cwd: string, args: string[], env: Record<string, string> = {}, prefix: readonly string[] = []) => {
  const [program = 'npx', ...rest] = [...prefix, 'npx', '--no-install', 'meshmark', ...args]
  return execa(program, rest, {
    cwd,
    env: { ...plainEnvironment(directory), ...env },
    extendEnv: false,
    reject: false,
    timeout: 60_000,
  })
}

test('doctor looks at everything that the lab needs, and says what it found', async () => {
  const { stdout, exitCode } = await meshmark(directory, ['doctor'])
  expect(exitCode, stdout).toBe(0)
  for (const name of ['platform', 'root', 'capabilities', 'kernel', 'tools', 'Envoy', 'Node', 'CPU', 'memory']) {
    expect(stdout).toContain(name)
  }
})

test('doctor fails for what is missing, with a fix: no Envoy', async () => {
  const { stdout, exitCode } = await meshmark(directory, ['doctor'], { MESHMARK_ENVOY: '/nowhere/envoy' })
  expect(exitCode).toBe(1)
  expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
    /Envoy There is no Envoy at \/nowhere\/envoy \(MESHMARK_ENVOY\) .*correct the path, or leave it out/,
  )
})

test('doctor as a plain user: one sentence that names the way out', async () => {
  const { stdout, exitCode } = await execa(
    'setpriv',
    [
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      '--',
      process.execPath,
      join(directory, 'node_modules/meshmark/dist/cli.js'),
      'doctor',
    ],
    { cwd: '/', env: plainEnvironment(directory), extendEnv: false, reject: false, timeout: 60_000 },
  )
  expect(exitCode, stdout).toBe(1)
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain('running as uid 65534, but network namespaces need root')
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain('Start it with sudo')
})

test('explain says why a row of a real record has its outcome, and what would decide it', async () => {
  await using folder = await benchFolder({
    'vitest.config.ts': configuration(`{ gate: false, meshes: { istio: { budgets: { http: '3000%' } } } }`),
    'a.bench.ts': quickSpec('1s'),
  })
  const run = await folder.run({ args: ['--project', 'istio'] })
  expect(run.exitCode, whatWentWrong(run)).toBe(0)
  const record = validRecord(run.record)
  const { stdout, exitCode } = await meshmark(folder.directory, ['explain', 'meshmark-results/record.json'])
  expect(exitCode, stdout).toBe(0)
  expect(stdout).toContain('HTTP through the mesh')
  expect(stdout).toMatch(/\binconclusive\b/)
  expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/at least 20/)
  // The same from anywhere: it reads the file alone.
  const copy = join(folder.directory, 'copy.json')
  await writeFile(copy, JSON.stringify(record))
  expect((await meshmark(directory, ['explain', copy])).stdout).toBe(stdout)
})
