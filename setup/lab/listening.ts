import { readFileSync, readdirSync, readlinkSync } from 'node:fs'

/** A TCP socket that waits for connections. */
export interface ListeningSocket {
  readonly port: number
  /** Reachable only from inside its pod. */
  readonly loopback: boolean
  readonly inode: string
}

const LISTEN_STATE = '0A'
const LOOPBACK = /^(?:[0-9A-F]{6}7F|0{24}01000000|0000000000000000FFFF0000[0-9A-F]{6}7F)$/

/** Listening TCP sockets in the network namespace of a process (/proc/PID/net is that process's, proc_pid_net(5)). Empty when it has ended. */
export function listeningSockets(pid: number): ListeningSocket[] {
  return ['tcp', 'tcp6'].flatMap((table) => parseSocketTable(read(`/proc/${pid}/net/${table}`)))
}

/** Reads the text of /proc/net/tcp or tcp6: addresses are hexadecimal in host byte order, state 0A is LISTEN. */
export function parseSocketTable(text: string): ListeningSocket[] {
  const sockets: ListeningSocket[] = []
  for (const line of text.split('\n').slice(1)) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
    const [address, port] = local?.split(':') ?? []
    if (state !== LISTEN_STATE || address === undefined || port === undefined || inode === undefined) continue
    sockets.push({ port: Number.parseInt(port, 16), loopback: LOOPBACK.test(address), inode })
  }
  return sockets
}

/** Which of these processes has the socket open, as `name (pid 12)`. */
export function holderOf(inode: string, pids: readonly number[]): string | undefined {
  for (const pid of pids) {
    if (descriptors(pid).includes(`socket:[${inode}]`)) return `${read(`/proc/${pid}/comm`).trim()} (pid ${pid})`
  }
  return undefined
}

function descriptors(pid: number): string[] {
  let names: string[]
  try {
    names = readdirSync(`/proc/${pid}/fd`)
  } catch {
    return []
  }
  return names.map((name) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${name}`)
    } catch {
      // Closed since the listing.
      return ''
    }
  })
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
