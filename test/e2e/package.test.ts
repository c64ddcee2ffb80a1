/** What users get: the tarball's content, its exports, its types. */
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, inject, test } from 'vitest'

const { directory, files } = inject('packedProject')
const installed = join(directory, 'node_modules/meshmark')

interface Manifest {
  version: string
  bin: Record<string, string>
  exports: Record<string, string | { types: string; default: string }>
}
const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as Manifest

/** Runs a program of the project, without failing. */
const run = (...args: string[]) => execa(process.execPath, args, { cwd: directory, reject: false, all: true })

describe('the tarball', () => {
  test('holds the built package, the manifests, the schema and the papers, and nothing else', () => {
    const expected = [
      /^dist\/[\w-]+\.(js|d\.ts)$/,
      /^manifests\/.+\.yaml$/,
      /^probes\/template\/(?:[\w-]+\/)*[\w-]+\.(?:rs|toml|md)$/,
      /^(measure\/record|probes\/client\/probe)\.schema\.json$/,
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
    ]
    expect(files.filter((file) => !expected.some((pattern) => pattern.test(file)))).toEqual([])
    expect(files).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'dist/agent.js', 'dist/cli.js', 'dist/echo.js', 'dist/index.js']),
    )
  })

  test('holds every file that package.json names', () => {
    const named = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : Object.values(entry),
    )
    const paths = [...named, ...Object.values(manifest.bin)].map((path) => path.replace('./', ''))
    expect(paths.filter((path) => !files.includes(path))).toEqual([])
  })

  test('has an agent and an echo server that are one file each', async () => {
    for (const file of ['agent.js', 'echo.js']) {
      const text = await readFile(join(installed, 'dist', file), 'utf8')
      expect(text.match(/(?:from|import\(?)\s*["']\.[^"']*["']/g), file).toBeNull()
    }
  })

  test('is small', async () => {
    const { size } = await stat(inject('packedProject').tarball)
    expect(size).toBeLessThan(300_000)
  })
})

describe('the exports', () => {
  // `meshmark/test` and `meshmark/setup` work inside Vitest only: there they are loaded by every bench.
  test.for([
    ['meshmark', ['meshmark']],
    ['meshmark/reporter', ['default']],
    ['meshmark/provider', ['default']],
    ['meshmark/global-setup', ['default']],
  ] as const)('%s gives %j', async ([specifier, names]) => {
    const script = `console.log(JSON.stringify(Object.keys(await import('${specifier}'))))`
    const { stdout, stderr } = await run('--input-type=module', '--eval', script)
    expect(stdout, stderr).toBe(JSON.stringify(names))
  })

  test.for(['meshmark/test', 'meshmark/setup', 'meshmark/record.schema.json', 'meshmark/package.json'])(
    '%s resolves',
    async (specifier) => {
      const script = `console.log(import.meta.resolve('${specifier}'))`
      const { stdout } = await run('--input-type=module', '--eval', script)
      expect(stdout).toMatch(/^file:\/\/.*\/node_modules\/meshmark\//)
    },
  )

  test('nothing else can be imported', async () => {
    const { all } = await run('--input-type=module', '--eval', "await import('meshmark/dist/agent.js')")
    expect(all).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })
})

describe('the command', () => {
  test('says its version', async () => {
    const { stdout, exitCode } = await run(join(installed, manifest.bin['meshmark'] ?? ''), '--version')
    expect({ stdout, exitCode }).toEqual({ stdout: manifest.version, exitCode: 0 })
  })

  test('lists its commands', async () => {
    const { all, exitCode } = await run(join(installed, manifest.bin['meshmark'] ?? ''), '--help')
    expect(exitCode).toBe(0)
    for (const command of ['doctor', 'clean', 'explain']) expect(all).toContain(command)
  })

  test.for([
    ['missing.json', undefined, /^missing\.json cannot be read \(ENOENT\)[^\n]*$/],
    ['broken.json', '{', /^broken\.json is not JSON: [^\n]*$/],
    ['other.json', '{"schema":"other"}', /^other\.json: Not a meshmark\/record\/1: [^\n]*$/],
  ] as const)('explains %s in one line', async ([file, content, line]) => {
    if (content !== undefined) await writeFile(join(directory, file), content)
    const result = await run(join(installed, manifest.bin['meshmark'] ?? ''), 'explain', file)
    expect(result).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringMatching(line) })
  })
})

test("a spec and a configuration type-check against the package's types", async () => {
  const spec = `
import { expect, test } from 'meshmark/test'

test('HTTP through the mesh', async ({ mesh, baseline, load, bench }) => {
  const result = await bench.compare(
    bench('baseline', load.http(await baseline.workload('http-echo'))),
    bench(mesh.arm, load.http(await mesh.workload('http-echo'), { plan: 'paired', precision: '0.5%', cap: '30s' })),
  )
  expect(result.get(mesh.arm)).toHaveOverheadBelow(mesh.budget('http'), { over: result.get('baseline'), of: 'p50' })
  expect(result.get(mesh.arm)).toBeFasterThanMesh(result.get('baseline'), { of: 'p99' })
  // @ts-expect-error: not a metric
  expect(result.get(mesh.arm)).toHaveOverheadBelow('3%', { over: result.get('baseline'), of: 'p51' })
})

test.on('istio')('only there', async ({ mesh }) => {
  expect(mesh.arm).toBe('istio')
})
`
  const config = `
import { meshmark } from 'meshmark'
import { defineConfig } from 'vitest/config'

export default defineConfig({ plugins: [meshmark({ gate: true, meshes: { istio: { budgets: { http: '900%' } } } })] })
`
  const tsconfig = {
    compilerOptions: {
      target: 'es2024',
      module: 'nodenext',
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      types: [],
      skipLibCheck: true,
    },
    files: ['types.bench.ts', 'types.config.ts'],
  }
  await writeFile(join(directory, 'types.bench.ts'), spec)
  await writeFile(join(directory, 'types.config.ts'), config)
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(tsconfig))
  const { all } = await run(join(directory, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json')
  expect(all).toBe('')
})
