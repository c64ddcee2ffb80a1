import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { identify, isRunning } from './process-identity.ts'

test('this process runs; the same pid with another start time does not', () => {
  const self = identify(process.pid)
  expect(self && isRunning(self)).toBe(true)
  expect(isRunning({ pid: process.pid, startTicks: '1' })).toBe(false)
})

test('a process that was killed is no longer running', async () => {
  const child = spawn('sleep', ['60'])
  const identity = identify(child.pid ?? -1)
  expect(identity && isRunning(identity)).toBe(true)
  child.kill('SIGKILL')
  await expect.poll(() => identity && isRunning(identity)).toBe(false)
})
