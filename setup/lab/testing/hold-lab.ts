/** A program for tests: brings the lab up with both meshes and a workload, says each step on stdout, and stays until it is killed. */
import { openLab, upLab } from '../index.ts'

const say = (line: string): void => void process.stdout.write(`${line}\n`)

const lab = await upLab({ waitMs: 300_000 }, (line) => say(`notice ${line}`))
say(`up ${lab.runId}`)
await Promise.all([lab.upMesh('baseline'), lab.upMesh('istio')])
say('meshes')
await openLab(lab.runDir).deploy('istio', 'http-echo')
say('deployed')
setInterval(() => {}, 60_000)
