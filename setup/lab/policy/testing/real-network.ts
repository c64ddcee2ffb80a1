import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { execa } from 'execa'
import type { Flow } from '../world.ts'

/** Answers TCP with "ok" and UDP with what it got, on its ports; tries the flows that it reads, one JSON line each. */
const AGENT = `
const net = require('node:net')
const { createSocket } = require('node:dgram')
const { execFile } = require('node:child_process')
const ports = process.argv.slice(1).map(Number)
let open = ports.length * 2
const ready = () => --open === 0 && console.log(JSON.stringify({ ready: true }))
for (const port of ports) {
  net.createServer((socket) => socket.on('error', () => {}).end('ok')).listen(port, ready)
  const udp = createSocket('udp4')
  udp.on('message', (text, from) => udp.send(text, from.port, from.address)).bind(port, ready)
}
const tries = {
  1: (to, port, ms, done) => execFile('ping', ['-q', '-n', '-c', '1', '-W', String(ms / 1000), to], (error) => done(!error)),
  6: (to, port, ms, done) => {
    const socket = net.connect(port, to)
    socket.setTimeout(ms, () => socket.destroy())
    socket.on('error', () => {}).on('data', () => done(true)).on('close', () => done(false))
  },
  17: (to, port, ms, done) => {
    const socket = createSocket('udp4')
    const end = (answer) => { clearTimeout(timer); socket.close(); done(answer) }
    const timer = setTimeout(end, ms, false)
    socket.on('error', () => {}).on('message', () => end(true))
    socket.send('ok', port, to)
  },
}
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, protocol, to, port, ms } = JSON.parse(line)
  let answered = false
  tries[protocol](to, port, ms, (passed) => {
    if (!answered) console.log(JSON.stringify({ id, passed }))
    answered = true
  })
})
`

/**
 * Network namespaces of their own, `mmpol-PID-…`: a node that routes, and pods behind it, each with one address and an
 * agent that serves and tries.
 */
export class RealNetwork implements AsyncDisposable {
  readonly #prefix = `mmpol-${process.pid}`
  readonly #addresses: { readonly [place: string]: string }
  readonly #agents = new Map<string, ChildProcessByStdio<Writable, Readable, null>>()
  readonly #waiting = new Map<number, (passed: boolean) => void>()
  #next = 0

  /** Addresses by place; `node` has the node's own. */
  private constructor(addresses: { readonly [place: string]: string }) {
    this.#addresses = addresses
  }

  static async up(addresses: { readonly [place: string]: string }, ports: readonly number[]): Promise<RealNetwork> {
    const network = new RealNetwork(addresses)
    try {
      await network.#build()
      await Promise.all(Object.keys(addresses).map((place) => network.#startAgent(place, ports)))
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
    return network
  }

  async #build(): Promise<void> {
    const own = this.#addresses['node'] ?? ''
    const batch = (place: string, lines: readonly string[]): Promise<unknown> =>
      execa('ip', ['-n', this.#namespace(place), '-batch', '-'], { input: `${lines.join('\n')}\n` })
    for (const place of Object.keys(this.#addresses)) await execa('ip', ['netns', 'add', this.#namespace(place)])
    await batch('node', ['link set lo up', `addr add ${own}/32 dev lo`])
    await this.runOnNode(['sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv4.conf.all.rp_filter=0'])
    for (const [place, address] of Object.entries(this.#addresses)) {
      if (place === 'node') continue
      await batch('node', [
        `link add ${place} address ee:ee:ee:ee:ee:ee type veth peer name eth0 netns ${this.#namespace(place)}`,
        `link set ${place} up`,
        `route add ${address}/32 dev ${place} src ${own}`,
      ])
      await batch(place, [
        'link set lo up',
        `addr add ${address}/32 dev eth0`,
        'link set eth0 up',
        'route add 169.254.1.1 dev eth0 scope link',
        'route add default via 169.254.1.1 dev eth0',
        'neigh add 169.254.1.1 lladdr ee:ee:ee:ee:ee:ee dev eth0 nud permanent',
      ])
    }
  }

  async #startAgent(place: string, ports: readonly number[]): Promise<void> {
    const command = [`--net=/run/netns/${this.#namespace(place)}`, '--', process.execPath, '-e', AGENT]
    const agent = spawn('nsenter', [...command, ...ports.map(String)], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#agents.set(this.#addresses[place] ?? '', agent)
    const ready = new Promise<void>((resolve) => {
      createInterface({ input: agent.stdout }).on('line', (line) => {
        const answer: unknown = JSON.parse(line)
        if (typeof answer !== 'object' || answer === null) return
        if ('ready' in answer) resolve()
        if ('id' in answer && 'passed' in answer) this.#waiting.get(Number(answer.id))?.(answer.passed === true)
      })
    })
    await Promise.race([ready, once(agent, 'exit')])
    if (agent.exitCode !== null) throw new Error(`the agent in ${place} ended`)
  }

  /** Runs a command in the node's namespace. */
  async runOnNode(command: readonly string[], input = ''): Promise<void> {
    await execa('nsenter', [`--net=/run/netns/${this.#namespace('node')}`, '--', ...command], { input })
  }

  /** Whether an answer comes back from the flow's destination within that time. */
  async tries({ source, destination, protocol, port }: Flow, ms: number): Promise<boolean> {
    const agent = this.#agents.get(source)
    if (!agent) throw new Error(`nobody has ${source}`)
    const id = this.#next++
    const answer = new Promise<boolean>((resolve) => this.#waiting.set(id, resolve))
    agent.stdin.write(`${JSON.stringify({ id, protocol, to: destination, port, ms })}\n`)
    return answer
  }

  #namespace(place: string): string {
    return `${this.#prefix}-${place}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents.values()) {
      if (agent.exitCode !== null || agent.signalCode !== null) continue
      agent.kill()
      await once(agent, 'exit')
    }
    for (const place of Object.keys(this.#addresses)) {
      await execa('ip', ['netns', 'del', this.#namespace(place)], { reject: false })
    }
  }
}
