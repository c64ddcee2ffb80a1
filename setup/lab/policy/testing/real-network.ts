import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { execa } from 'execa'
import type { Flow } from '../world.ts'

/** Answers TCP with "ok" and UDP with what it got, on the ports that it is given. */
const SERVER = `
const { createServer } = require('node:net')
const { createSocket } = require('node:dgram')
const ports = process.argv.slice(1).map(Number)
let open = ports.length * 2
const ready = () => --open === 0 && console.log('ready')
for (const port of ports) {
  createServer((socket) => socket.on('error', () => {}).end('ok\\n')).listen(port, ready)
  const udp = createSocket('udp4')
  udp.on('message', (text, from) => udp.send(text, from.port, from.address)).bind(port, ready)
}
`

/**
 * Network namespaces of their own, `mmpol-PID-…`: a node that routes, and pods behind it, each with one address and a server on
 * every port.
 */
export class RealNetwork implements AsyncDisposable {
  readonly #prefix = `mmpol-${process.pid}`
  readonly #servers: ChildProcess[] = []
  readonly #places: ReadonlyMap<string, string>

  /** Namespaces by address; `node` has the node's own. */
  private constructor(addresses: { readonly [place: string]: string }) {
    this.#places = new Map(Object.entries(addresses).map(([place, address]) => [address, this.#namespace(place)]))
  }

  static async up(addresses: { readonly [place: string]: string }, ports: readonly number[]): Promise<RealNetwork> {
    const network = new RealNetwork(addresses)
    try {
      await network.#build(addresses, ports)
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
    return network
  }

  async #build(addresses: { readonly [place: string]: string }, ports: readonly number[]): Promise<void> {
    const node = this.#namespace('node')
    const batch = (namespace: string, lines: readonly string[]): Promise<unknown> =>
      execa('ip', ['-n', namespace, '-batch', '-'], { input: `${lines.join('\n')}\n` })
    for (const place of Object.keys(addresses)) await execa('ip', ['netns', 'add', this.#namespace(place)])
    await batch(node, ['link set lo up', `addr add ${addresses['node'] ?? ''}/32 dev lo`])
    await this.run('node', ['sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv4.conf.all.rp_filter=0'])
    for (const [place, address] of Object.entries(addresses)) {
      if (place === 'node') continue
      const pod = this.#namespace(place)
      await batch(node, [
        `link add ${place} address ee:ee:ee:ee:ee:ee type veth peer name eth0 netns ${pod}`,
        `link set ${place} up`,
        `route add ${address}/32 dev ${place} src ${addresses['node'] ?? ''}`,
      ])
      await batch(pod, [
        'link set lo up',
        `addr add ${address}/32 dev eth0`,
        'link set eth0 up',
        'route add 169.254.1.1 dev eth0 scope link',
        'route add default via 169.254.1.1 dev eth0',
        'neigh add 169.254.1.1 lladdr ee:ee:ee:ee:ee:ee dev eth0 nud permanent',
      ])
    }
    await Promise.all(
      Object.keys(addresses).map(async (place) => {
        const server = spawn('nsenter', [...this.#enter(place), process.execPath, '-e', SERVER, ...ports.map(String)], {
          stdio: ['ignore', 'pipe', 'inherit'],
        })
        this.#servers.push(server)
        // It says "ready", or its output ends with it.
        await Promise.race([once(server.stdout, 'data'), once(server, 'exit')])
        if (server.exitCode !== null) throw new Error(`the server in ${place} ended`)
      }),
    )
  }

  /** Runs a command in a place's namespace. */
  async run(place: string, command: readonly string[], input?: string): Promise<string> {
    const { stdout } = await execa('nsenter', [...this.#enter(place), ...command], input === undefined ? {} : { input })
    return stdout
  }

  /** Whether an answer comes back from the flow's destination within that time (whole seconds). */
  async tries({ source, destination, protocol, port }: Flow, seconds: number): Promise<boolean> {
    const namespace = this.#places.get(source)
    if (namespace === undefined) throw new Error(`nobody has ${source}`)
    const script = {
      1: `ping -q -n -c 1 -W ${seconds} -I ${source} ${destination} >/dev/null && echo ok`,
      6: `exec 3<>/dev/tcp/${destination}/${port} && head -n 1 <&3`,
      17: `exec 3<>/dev/udp/${destination}/${port} && echo ok >&3 && head -n 1 <&3`,
      58: 'false',
      132: 'false',
    }[protocol]
    const { stdout } = await execa(
      'nsenter',
      [`--net=/run/netns/${namespace}`, '--', 'timeout', String(seconds), 'bash', '-c', script],
      {
        reject: false,
        stderr: 'ignore',
      },
    )
    return stdout.trim() === 'ok'
  }

  #namespace(place: string): string {
    return `${this.#prefix}-${place}`
  }

  #enter(place: string): string[] {
    return [`--net=/run/netns/${this.#namespace(place)}`, '--']
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) {
      if (server.exitCode !== null) continue
      server.kill()
      await once(server, 'exit')
    }
    for (const namespace of this.#places.values()) await execa('ip', ['netns', 'del', namespace], { reject: false })
  }
}
