import { FieldError, textOf } from './field.ts'
import type { Field } from './field.ts'
import type { IpProtocol, PortRange } from './policy.ts'

const TCP = [6] as const
const PROTOCOLS: { readonly [name: string]: readonly IpProtocol[] } = {
  TCP,
  UDP: [17],
  SCTP: [132],
  // Cilium's ANY is every protocol that has ports (pkg/policy, mergeIngressPortProto).
  ANY: [6, 17, 132],
}
export const EVERY_PORT = { first: 0, last: 65535 } as const

/** Names of protocols in any case, as Cilium takes them; Kubernetes' are upper case, TCP by default. */
export function parseProtocol(field: Field | undefined, dialect: 'cilium' | 'kubernetes'): readonly IpProtocol[] {
  if (!field) return (dialect === 'cilium' ? PROTOCOLS['ANY'] : undefined) ?? TCP
  const name = dialect === 'cilium' ? textOf(field).toUpperCase() : textOf(field)
  const found = name === '' && dialect === 'cilium' ? PROTOCOLS['ANY'] : PROTOCOLS[name]
  if (found && (name !== 'ANY' || dialect === 'cilium')) return found
  throw new FieldError(
    field.path,
    `the lab enforces ports of TCP, UDP and SCTP${dialect === 'cilium' ? ', or ANY of them' : ''}, not of "${name}"`,
  )
}

/** Cilium writes numbers as strings, and 0 for every port; Kubernetes writes numbers as numbers. Either takes the name of a port. */
export function parsePort(
  port: Field,
  endPort: Field | undefined,
  dialect: 'cilium' | 'kubernetes',
): PortRange['ports'] {
  const first = dialect === 'kubernetes' ? port.value : numberIn(textOf(port))
  if (typeof first !== 'number') {
    const name = textOf(port)
    if (!/^(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/i.test(name) || name.length > 63) {
      throw new FieldError(port.path, `"${name}" is neither a port's number nor its name`)
    }
    if (endPort) throw new FieldError(endPort.path, 'a range begins with a number, not with a name')
    return { name: name.toLowerCase() }
  }
  if (first === 0 && dialect === 'cilium') {
    if (endPort) throw new FieldError(endPort.path, 'port 0 is every port; a range begins at 1')
    return EVERY_PORT
  }
  if (!isPort(first)) throw new FieldError(port.path, 'ports are 1 to 65535')
  if (!endPort) return { first, last: first }
  const last = endPort.value
  if (!isPort(last)) throw new FieldError(endPort.path, 'ports are 1 to 65535')
  if (last < first) throw new FieldError(endPort.path, `the range ends at ${last}, before it begins (${first})`)
  return { first, last }
}

function numberIn(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65535
}
