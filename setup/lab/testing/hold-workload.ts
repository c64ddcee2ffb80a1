/** A program for tests: a worker that deploys a workload and runs a program in the client pod, says their addresses, and stays until it is killed. */
import { openLab } from '../index.ts'

const lab = openLab(process.argv[2] ?? '')
const target = await lab.deploy('baseline', 'http-echo')
const agent = target.runInClient(['sleep', '600'])
process.stdout.write(`${agent.pid} ${target.host} ${target.port}\n`)
setInterval(() => {}, 60_000)
