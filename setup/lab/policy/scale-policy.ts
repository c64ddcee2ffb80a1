import { parsePolicy } from './parse.ts'
import type { Policy } from './policy.ts'

/** What the last rule allows. */
export interface ScaleTarget {
  /** Labels of the server's pods and of the client's. */
  readonly server: Readonly<Record<string, string>>
  readonly client: Readonly<Record<string, string>>
  readonly port: number
}

/** 198.18.0.0/15 is for benchmarks (RFC 2544): none of the lab's. */
const FIRST_BLOCK = [198, 18] as const
const FIRST_PORT = 10_000

/**
 * A policy of 1 to 10,000 rules for one server of which only the last concerns the client's flow. The others are alike
 * it but name, in turn, another port for the client, and the right port for a single address that isn't the client's.
 * @throws RangeError
 */
export function scalePolicy(rules: number, target: ScaleTarget): Policy {
  return parsePolicy(scaleManifest(rules, target), `scalePolicy(${rules})`)
}

/** The same as an object that is a CiliumNetworkPolicy. */
export function scaleManifest(rules: number, { server, client, port }: ScaleTarget): object {
  if (!Number.isInteger(rules) || rules < 1 || rules > 10_000) {
    throw new RangeError(`a scale policy has 1 to 10000 rules, not ${rules}`)
  }
  const fromClient = { fromEndpoints: [{ matchLabels: client }] }
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name: `scale-${rules}` },
    spec: {
      endpointSelector: { matchLabels: server },
      ingress: [
        ...Array.from({ length: rules - 1 }, (_, index) =>
          index % 2 === 0
            ? { ...fromClient, ...toPort(otherPort(index, port)) }
            : { fromCIDR: [otherAddress(index)], ...toPort(port) },
        ),
        { ...fromClient, ...toPort(port) },
      ],
    },
  }
}

function toPort(port: number): object {
  return { toPorts: [{ ports: [{ port: String(port), protocol: 'TCP' }] }] }
}

/** Every other port from 10000 on, around the right one: none touch, so nothing can be merged into a range. */
function otherPort(index: number, port: number): number {
  const other = FIRST_PORT + index
  return port >= FIRST_PORT && other >= port ? other + 2 : other
}

function otherAddress(index: number): string {
  const number = (index - 1) / 2
  return `${FIRST_BLOCK.join('.')}.${number >> 8}.${number & 255}/32`
}
