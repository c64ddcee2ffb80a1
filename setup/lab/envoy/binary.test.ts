import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ENVOY_VERSION, findEnvoy } from './binary.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshmark-envoy-'))
  chmodSync(folder, 0o755)
})
afterEach(() => {
  rmSync(folder, { recursive: true })
  vi.unstubAllEnvs()
})

function standIn(mode: number, says = 'envoy  version: abc/1.99.1-dev/Clean/RELEASE/BoringSSL'): string {
  const file = join(folder, 'envoy')
  writeFileSync(file, `#!/bin/sh\necho "${says}"\n`)
  chmodSync(file, mode)
  return file
}

test('the installed Envoy, with its version', async () => {
  expect(await findEnvoy()).toMatchObject({ version: ENVOY_VERSION })
})

test('the option comes before MESHMARK_ENVOY, and that before PATH', async () => {
  const file = standIn(0o755)
  vi.stubEnv('MESHMARK_ENVOY', '/nowhere/else')
  expect(await findEnvoy(file)).toEqual({ path: file, version: '1.99.1-dev' })
  vi.stubEnv('MESHMARK_ENVOY', file)
  expect(await findEnvoy()).toEqual({ path: file, version: '1.99.1-dev' })
  vi.stubEnv('MESHMARK_ENVOY', undefined)
  vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`)
  expect(await findEnvoy()).toEqual({ path: file, version: '1.99.1-dev' })
})

test('one that is not there is named with where it was asked for', async () => {
  vi.stubEnv('MESHMARK_ENVOY', '/nowhere/envoy')
  await expect(findEnvoy()).rejects.toThrow('There is no Envoy at /nowhere/envoy (MESHMARK_ENVOY): correct the path')
})

test("one that the proxy's user can't run", async () => {
  const file = standIn(0o755)
  copyFileSync(file, join(folder, 'copy'))
  chmodSync(folder, 0o700)
  await expect(findEnvoy(file)).rejects.toThrow(
    `Envoy at ${file} can't be run by the proxy's user (uid 1337): every folder above needs o+x`,
  )
})

test('a program that is no Envoy', async () => {
  const file = standIn(0o755, 'hello')
  await expect(findEnvoy(file)).rejects.toThrow(
    `${file} --version did not answer as Envoy does (hello): set MESHMARK_ENVOY to an Envoy ${ENVOY_VERSION}`,
  )
})
