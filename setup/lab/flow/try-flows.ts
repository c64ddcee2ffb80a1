import * as v from 'valibot'
import { LabError } from '../lab-error.ts'
import type { Pod } from '../pod.ts'
import { runInPod } from '../pod-program.ts'
import type { Flow, FlowResult } from './flow.ts'

/** A SYN that is lost is sent again after a second: a flow that is let through needs one chance more. */
const TIMEOUT_MS = 1500

const resultsSchema = v.array(
  v.union([
    v.object({ kind: v.literal('answered'), status: v.nullable(v.number()) }),
    v.object({ kind: v.literal('refused'), message: v.string() }),
    v.object({ kind: v.literal('silent') }),
  ]),
)

/** All flows at once; prints their results. Plain JavaScript: it runs in the pod by `node -e`. */
const PROGRAM = `
const { connect } = require('node:net')
const { request } = require('node:http')
const { createSocket } = require('node:dgram')
const { flows, timeoutMs } = JSON.parse(process.argv[1])
const refused = (error) => ({ kind: 'refused', message: error.code ?? error.message })
const tcp = ({ host, port }) => new Promise((resolve) => {
  const socket = connect({ host, port })
  const done = (result) => { socket.destroy(); resolve(result) }
  setTimeout(() => done({ kind: 'silent' }), timeoutMs)
  socket.once('connect', () => done({ kind: 'answered', status: null }))
  socket.once('error', (error) => done(refused(error)))
})
const udp = ({ host, port }) => new Promise((resolve) => {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  const done = (result) => { clearTimeout(timer); socket.removeAllListeners('error'); socket.on('error', () => {}); socket.close(); resolve(result) }
  const timer = setTimeout(() => done({ kind: 'silent' }), timeoutMs)
  socket.once('error', (error) => done(refused(error)))
  socket.once('message', () => done({ kind: 'answered', status: null }))
  socket.connect(port, host, () => socket.send('meshmark'))
})
const http = ({ host, port, http: { method, path, headers } }) => new Promise((resolve) => {
  const call = request({ host, port, method, path, headers, agent: false }, (response) => {
    response.resume()
    resolve({ kind: 'answered', status: response.statusCode })
    call.destroy()
  })
  setTimeout(() => { call.destroy(); resolve({ kind: 'silent' }) }, timeoutMs)
  call.on('error', (error) => resolve(refused(error)))
  call.end()
})
Promise.all(flows.map((flow) => (flow.http ? http(flow) : flow.udp ? udp(flow) : tcp(flow)))).then((results) => {
  process.stdout.write(JSON.stringify(results), () => process.exit(0))
})
`

/**
 * Tries flows from a pod, all at once, and says what became of each, in their order.
 * @throws LabError when the program that tries them could not run there
 */
export async function tryFlows(
  pod: Pod,
  cpus: string,
  flows: readonly Flow[],
  timeoutMs = TIMEOUT_MS,
): Promise<FlowResult[]> {
  if (flows.length === 0) return []
  const program = runInPod(pod, cpus, ['node', '-e', PROGRAM, JSON.stringify({ flows, timeoutMs })])
  let output = ''
  let errors = ''
  program.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  program.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const ended = await program.ended
  try {
    return v.parse(resultsSchema, JSON.parse(output))
  } catch {
    throw new LabError(
      `Flows from pod ${pod.place} could not be tried: ${ended}; ${errors.trim() || 'it wrote nothing'}`,
    )
  }
}
