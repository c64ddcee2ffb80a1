/** `npx meshmark …` as installed from the tarball. \`clean\` is in signals.test.ts, beside the runs that it needs. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
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

test('kill -9 of probe: the program below it ends by itself, and writes what it saw', async () => {
  await using folder = await benchFolder({})
  const output = join(folder.directory, 'seen.json')
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const command = execa(
    process.execPath,
    [join(directory, 'node_modules/meshmark/dist/cli.js'), 'probe', 'drops', '--duration', '1m', '--output', output],
    {
      cwd: folder.directory,
      env: { ...plainEnvironment(directory), MESHMARK_PROBES: join(root, 'probes/prebuilt', `linux-${process.arch}`) },
      extendEnv: false,
      reject: false,
      timeout: 60_000,
    },
  )
  // The program's own id is in the name of the file that it writes to.
  const part = /^seen\.json\.(\d+)\.part$/
  const writing = (): string | undefined => readdirSync(folder.directory).find((name) => part.test(name))
  await expect.poll(writing, { timeout: 20_000 }).toBeDefined()
  const program = Number(part.exec(writing() ?? '')?.[1])
  expect(isRunning(program)).toBe(true)
  command.kill('SIGKILL')
  await expect.poll(() => existsSync(output), { timeout: 10_000 }).toBe(true)
  expect(JSON.parse(readFileSync(output, 'utf8'))).toMatchObject({ schema: 'meshmark/probe/1', partial: true })
  await expect.poll(() => isRunning(program), { timeout: 5000 }).toBe(false)
  expect((await command).signal).toBe('SIGKILL')
})

/** And not only waiting for somebody to ask how it ended. */
function isRunning(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false
  return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}
