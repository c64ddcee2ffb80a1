import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { dropDeadLock, releaseMachineLock, takeMachineLock } from './machine-lock.ts'
import { newOwner, readOwner } from './owner.ts'
import { startProgram } from './testing/program.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshmark-lock-'))
  file = join(folder, 'lock')
})
afterEach(() => rmSync(folder, { recursive: true }))

const quiet = (): void => {}
const dead = () => ({ ...newOwner(), startTicks: '1' })

test('a free lock is taken, given back, and leaves nothing', async () => {
  const owner = newOwner()
  await takeMachineLock(owner, 0, quiet, file)
  expect(readOwner(file)).toEqual(owner)
  releaseMachineLock(owner, file)
  expect(readdirSync(folder)).toEqual([])
})

test('a living holder is waited for, named, and then refused', async () => {
  const holder = { ...newOwner(), cwd: '/home/neighbour' }
  await takeMachineLock(holder, 0, quiet, file)
  const notices: string[] = []
  const taking = takeMachineLock(newOwner(), 300, (line) => notices.push(line), file)
  await expect(taking).rejects.toThrow(
    `Another meshmark run (pid ${process.pid} in /home/neighbour) has the lab of this machine: two at once would measure each other.`,
  )
  expect(notices).toEqual([
    `Another meshmark run (pid ${process.pid} in /home/neighbour) has the lab of this machine: waiting for it, up to 0 s.`,
  ])
  expect(readOwner(file)).toEqual(holder)
})

test('one that waits gets the lock when it is given back', async () => {
  const holder = newOwner()
  const next = newOwner()
  await takeMachineLock(holder, 0, quiet, file)
  const taking = takeMachineLock(next, 5000, quiet, file)
  releaseMachineLock(holder, file)
  await taking
  expect(readOwner(file)).toEqual(next)
})

test('a dead holder is taken over, even where the one that took it over died half-way', async () => {
  const first = dead()
  writeFileSync(file, JSON.stringify(first))
  writeFileSync(`${file}.${first.runId}`, JSON.stringify(dead()))
  const owner = newOwner()
  await takeMachineLock(owner, 0, quiet, file)
  expect(readOwner(file)).toEqual(owner)
  expect(readdirSync(folder)).toEqual(['lock'])
})

test('a lock of before the last boot is dead, whatever runs under that pid', async () => {
  writeFileSync(file, JSON.stringify({ ...newOwner(), bootId: 'earlier' }))
  await takeMachineLock(newOwner(), 0, quiet, file)
  expect(readOwner(file)?.bootId).not.toBe('earlier')
})

test('an unreadable lock is taken over', async () => {
  writeFileSync(file, '{')
  const owner = newOwner()
  await takeMachineLock(owner, 0, quiet, file)
  expect(readOwner(file)).toEqual(owner)
})

test('clean drops a dead lock and leaves a living one', async () => {
  writeFileSync(file, JSON.stringify(dead()))
  dropDeadLock(file)
  expect(readdirSync(folder)).toEqual([])
  const owner = newOwner()
  await takeMachineLock(owner, 0, quiet, file)
  dropDeadLock(file)
  expect(readOwner(file)).toEqual(owner)
})

test('six starters at once: never two inside, every dead one is taken over', { timeout: 60_000 }, async () => {
  writeFileSync(file, JSON.stringify(dead()))
  const starters = Array.from({ length: 6 }, () => startProgram('take-lock', [file]))
  await Promise.all(starters.map((starter) => starter.line('done')))
  await takeMachineLock(newOwner(), 5000, quiet, file)
  expect(readdirSync(folder)).toEqual(['lock'])
})
