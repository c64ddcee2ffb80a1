import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { withLock } from './run-lock.mjs'

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

test.runIf(process.platform === 'linux')('the second waits for the first', async () => {
  const events = []
  const hold = (name) =>
    withLock(
      '/order',
      () => events.push(`${name} waits`),
      async () => {
        events.push(`${name} in`)
        await sleep(100)
        events.push(`${name} out`)
      },
    )
  await Promise.all([hold('first'), sleep(20).then(() => hold('second'))])
  expect(events).toEqual(['first in', 'second waits', 'first out', 'second in', 'second out'])
})

test.runIf(process.platform === 'linux')('a holder that is killed leaves no lock', async () => {
  const module = fileURLToPath(new URL('./run-lock.mjs', import.meta.url))
  const script = `import { withLock } from ${JSON.stringify(module)}
    await withLock('/killed', () => {}, async () => { console.log('held'); await new Promise((r) => setTimeout(r, 60000)) })`
  const holder = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  const events = []
  const second = withLock(
    '/killed',
    () => events.push('waits'),
    async () => events.push('in'),
  )
  await sleep(100)
  holder.kill('SIGKILL')
  await second
  expect(events).toEqual(['waits', 'in'])
})
