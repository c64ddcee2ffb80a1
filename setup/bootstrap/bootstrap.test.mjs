/** The real bootstrap in a copy of the checkout on a machine without anything. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
let copy

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'meshmark-bootstrap-'))
  mkdirSync(join(copy, 'setup'))
  mkdirSync(join(copy, 'path'))
  for (const path of [
    'package.json',
    'package-lock.json',
    'setup/bootstrap.mjs',
    'setup/bootstrap',
    'probes/Cargo.toml',
  ]) {
    cpSync(join(ROOT, path), join(copy, path), { recursive: true })
  }
})
afterEach(() => rmSync(copy, { recursive: true, force: true }))

/** Runs it with nothing but `programs` on PATH (the system's sbin folders are always looked at). */
function bootstrap(args, { programs = {}, ...env } = {}) {
  for (const [name, target] of Object.entries(programs)) symlinkSync(target, join(copy, 'path', name))
  const command = [join(copy, 'setup/bootstrap.mjs'), ...args]
  const options = { cwd: copy, env: { PATH: join(copy, 'path'), ...env }, encoding: 'utf8' }
  const { status, stdout, stderr } = spawnSync(process.execPath, command, options)
  return { status, stdout, stderr }
}

test('lists what is missing, with the command for each, and installs nothing', () => {
  const { status, stdout, stderr } = bootstrap(['start'], {
    programs: { npm: '/bin/true', 'apt-get': '/bin/true' },
    MESHMARK_NO_INSTALL: '1',
    MESHMARK_ENVOY: '/nowhere/envoy',
  })
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  const lines = stderr.split('\n').map((line) => line.trim())
  expect(lines[0]).toMatch(
    /^meshmark needs \d things that this machine does not have, and installs nothing \(MESHMARK_NO_INSTALL is set\):$/,
  )
  expect(lines).toContain('how   npm ci')
  expect(lines).toContainEqual(
    expect.stringMatching(
      /^how {3}(sudo )?apt-get update && (sudo )?apt-get install -y --no-install-recommends .*openssl util-linux( procps)?$/,
    ),
  )
  expect(lines).toContain('why   MESHMARK_ENVOY (/nowhere/envoy) does not answer `envoy --version`')
  expect(existsSync(join(copy, 'node_modules'))).toBe(false)
})

test('lists likewise where one of them cannot be installed, and installs none', () => {
  const { status, stderr } = bootstrap(['test'], { MESHMARK_ENVOY: '/nowhere/envoy' })
  expect(status).toBe(1)
  expect(stderr).toMatch(/installs nothing \((not root|this is not Linux|no way to install .* here)\):/)
  expect(existsSync(join(copy, 'node_modules'))).toBe(false)
})

test('says how it is used', () => {
  expect(bootstrap(['strat'])).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^node setup\/bootstrap\.mjs start/),
  })
})
