/** A program for tests: a run of its own beside the lab, without the machine's lock: a neighbour that must be left alone. */
import { startDaemon } from '../daemon.ts'
import { addNamespaces } from '../namespaces.ts'
import { newOwner } from '../owner.ts'
import { fixedPod } from '../pod.ts'
import { createRunDirectory } from '../run-dir.ts'

const owner = newOwner()
const dir = createRunDirectory(owner)
const pod = fixedPod(owner.runId, 'client')
await addNamespaces([pod.namespace])
const daemon = startDaemon({
  name: 'sleep',
  pod,
  cpus: '0',
  command: ['sleep', '600'],
  env: { PATH: '/usr/bin:/bin' },
  cwd: '/',
  log: `${dir}/sleep.log`,
})
process.stdout.write(`${owner.runId} ${daemon.pid}\n`)
setInterval(() => {}, 60_000)
