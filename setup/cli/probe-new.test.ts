import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newProbe } from './probe-new.ts'

let parent = ''
beforeAll(() => {
  parent = mkdtempSync(join(tmpdir(), 'meshmark-probe-new-'))
})
afterAll(() => rmSync(parent, { recursive: true }))

test('a crate of that name, with both sides and a test', () => {
  const directory = newProbe('connect-time', parent)
  expect(directory).toBe(join(parent, 'connect-time'))
  expect(readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted()).toEqual([
    'Cargo.toml',
    'README.md',
    'build.rs',
    'ebpf',
    'ebpf/Cargo.toml',
    'ebpf/src',
    'ebpf/src/main.rs',
    'src',
    'src/main.rs',
    'src/options.rs',
    'src/report.rs',
    'tests',
    'tests/counts.rs',
  ])
  const text = (file: string): string => readFileSync(join(directory, file), 'utf8')
  expect(text('Cargo.toml')).toContain('name = "connect-time"')
  expect(text('tests/counts.rs')).toContain('CARGO_BIN_EXE_connect-time')
  expect(text('src/report.rs')).not.toContain('probe-name')
})

test('what is there already stays, and a name that is none is refused', () => {
  mkdirSync(join(parent, 'mine'))
  expect(() => newProbe('mine', parent)).toThrow(/mine is there already/)
  for (const name of [undefined, '', 'Mine', '1st', '../up', 'two--hyphens', '-x'])
    expect(() => newProbe(name, parent)).toThrow(/the name of a crate is needed/)
  expect(readdirSync(join(parent, 'mine'))).toEqual([])
})
