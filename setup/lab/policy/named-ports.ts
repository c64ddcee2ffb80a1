import type { IpProtocol, PortRange } from './policy.ts'
import type { Endpoint } from './world.ts'

const NUMBERS = { TCP: 6, UDP: 17, SCTP: 132 } as const

/** The ports of that name that a pod declares, for each protocol of the range. */
export function namedPorts(range: PortRange, endpoint: Endpoint): { protocol: IpProtocol; port: number }[] {
  const { ports } = range
  if (!('name' in ports)) return []
  return endpoint.ports
    .map(({ name, port, protocol = 'TCP' }) => ({ name: name.toLowerCase(), protocol: NUMBERS[protocol], port }))
    .filter(({ name, protocol }) => name === ports.name && range.protocols.includes(protocol))
    .map(({ protocol, port }) => ({ protocol, port }))
}
