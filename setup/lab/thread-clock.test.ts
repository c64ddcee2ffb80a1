import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { threadClock } from './thread-clock.ts'

test('counts the threads of a process; one that has ended keeps what it used', async () => {
  const clock = threadClock(process.pid)
  const before = clock.readNs()
  const worker = new Worker('const end = Date.now() + 150; while (Date.now() < end);', { eval: true })
  const samples: number[] = []
  const timer = setInterval(() => samples.push(clock.readNs()), 10)
  await new Promise((resolve) => worker.on('exit', resolve))
  clearInterval(timer)
  samples.push(clock.readNs())
  expect(samples).toEqual(samples.toSorted((a, b) => a - b))
  expect((samples.at(-1) ?? 0) - before).toBeGreaterThan(30e6)
  clock.close()
  expect(clock.readNs()).toBe(samples.at(-1))
})
