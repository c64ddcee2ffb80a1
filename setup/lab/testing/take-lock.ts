/** A program for tests: takes a lock file, checks that nobody else has it, says so, gives it back. */
import { rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { releaseMachineLock, takeMachineLock } from '../machine-lock.ts'
import { newOwner } from '../owner.ts'

const file = process.argv[2] ?? ''
for (let turn = 0; turn < 3; turn++) {
  const owner = newOwner()
  await takeMachineLock(owner, 60_000, () => {}, file)
  // `wx` fails where another process is inside at the same time.
  writeFileSync(`${file}-inside`, '', { flag: 'wx' })
  await sleep(5)
  rmSync(`${file}-inside`)
  // The last turn ends while it has the lock, as a killed run does.
  if (turn < 2) releaseMachineLock(owner, file)
}
process.stdout.write('done\n')
