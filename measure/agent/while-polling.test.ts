import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { whilePolling } from './while-polling.ts'

/** Share of its time that the event loop slept, waiting for events. */
async function shareAsleep(work: () => Promise<void>): Promise<number> {
  const before = performance.eventLoopUtilization()
  await work()
  return 1 - performance.eventLoopUtilization(before).utilization
}

test('the event loop does not sleep while the work waits, and does again afterwards', async () => {
  expect(await shareAsleep(() => whilePolling(async () => void (await delay(50))))).toBeLessThan(0.5)
  expect(await shareAsleep(async () => void (await delay(50)))).toBeGreaterThan(0.5)
})

test('work that fails ends the polling, too', async () => {
  await expect(whilePolling(() => Promise.reject(new Error('the connection was closed')))).rejects.toThrow(
    'the connection was closed',
  )
  expect(await shareAsleep(async () => void (await delay(50)))).toBeGreaterThan(0.5)
})
