import fc from 'fast-check'
import { isIPv4 } from 'node:net'
import { matchesRequest } from '../matches-request.ts'
import type { HttpRequest } from '../matches-request.ts'
import { verdictOf } from '../oracle.ts'
import type { OracleVerdict } from '../oracle.ts'
import { parsePolicy } from '../parse.ts'
import type { Policy } from '../policy.ts'
import type { Flow, World } from '../world.ts'
import { policyManifests, vocabularyOf } from './policy-arbitrary.ts'
import type { HttpShare } from './policy-arbitrary.ts'

/** Some policies and flows to be tried while they, and no others, are in force. */
export interface MatrixGroup {
  readonly manifests: readonly object[]
  readonly policies: readonly Policy[]
  readonly cases: readonly MatrixCase[]
}

/** A flow and what the oracle says of it. */
export interface MatrixCase {
  readonly flow: Flow
  readonly verdict: OracleVerdict['verdict']
  /** Where the verdict is `http`: which requests pass; the others are answered with 403. */
  readonly requests: readonly { readonly request: HttpRequest; readonly passes: boolean }[]
}

interface MatrixOptions {
  readonly world: World
  /** Addresses that are neither pods nor the node, from which flows may begin. */
  readonly outside: readonly string[]
  /** Ports of flows and rules; those that servers listen on, and others. */
  readonly ports: readonly number[]
  readonly protocols: readonly Flow['protocol'][]
  readonly http: HttpShare
  readonly groups: number
  readonly casesPerGroup: number
  readonly seed: number
}

const REQUESTS: readonly HttpRequest[] = [
  { method: 'GET', path: '/', host: 'http-echo', headers: {} },
  { method: 'POST', path: '/', host: 'http-echo', headers: { 'x-token': 'secret' } },
  { method: 'GET', path: '/public', host: 'a.example.com', headers: { 'x-token': 'secret' } },
  { method: 'GET', path: '/?bytes=10', host: 'http-echo', headers: { 'x-token': 'other' } },
]

/** The same groups for the same seed. Each has, if it can, as many allowed as denied flows, and some for the proxy. */
export function policyMatrix(options: MatrixOptions): MatrixGroup[] {
  const { world, outside, ports, seed } = options
  const flows = candidates(options)
  // Groups that say the same of every flow are worth little.
  const many = fc.sample(policyManifests(vocabularyOf(world, outside, ports), 3, { http: options.http }), {
    numRuns: options.groups * 4,
    seed,
  })
  const groups: MatrixGroup[] = []
  for (const [index, manifests] of many.entries()) {
    if (groups.length === options.groups) break
    const policies = manifests.map((one, place) => parsePolicy(one, `matrix ${seed}, policy ${index}.${place}`))
    const [shuffled = []] = fc.sample(fc.shuffledSubarray(flows, { minLength: flows.length }), {
      numRuns: 1,
      seed: seed + index,
    })
    const judged = shuffled.map((flow) => ({ flow, meant: verdictOf(policies, world, flow) }))
    const kinds = (['allow', 'deny', 'http'] as const).map((kind) =>
      judged.filter(({ meant }) => meant.verdict === kind),
    )
    if (kinds.filter((some) => some.length > 0).length < 2) continue
    groups.push({
      manifests,
      policies,
      cases: inTurn(kinds)
        .slice(0, options.casesPerGroup)
        .map(({ flow, meant }) => ({ flow, verdict: meant.verdict, requests: requestsFor(meant) })),
    })
  }
  return groups
}

/** From every known address to every pod. */
function candidates({ world, outside, ports, protocols }: MatrixOptions): Flow[] {
  const pods = world.endpoints.flatMap(({ addresses }) => addresses)
  const sources = [...pods, ...world.hostAddresses, ...outside]
  const owner = (address: string): unknown => world.endpoints.find(({ addresses }) => addresses.includes(address))
  return sources.flatMap((source) =>
    pods
      // A pod's flows to itself never leave it.
      .filter((destination) => isIPv4(source) === isIPv4(destination) && owner(source) !== owner(destination))
      .flatMap((destination) =>
        protocols.flatMap((protocol): Flow[] => {
          if (protocol === 1 || protocol === 58) {
            return (protocol === 1) === isIPv4(source) ? [{ source, destination, protocol, port: 0 }] : []
          }
          return ports.map((port) => ({ source, destination, protocol, port }))
        }),
      ),
  )
}

function inTurn<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...lists.map(({ length }) => length))
  return Array.from({ length: longest }, (_, index) => lists.flatMap((list) => list.slice(index, index + 1))).flat()
}

function requestsFor(meant: OracleVerdict): MatrixCase['requests'] {
  if (meant.verdict !== 'http') return []
  return REQUESTS.map((request) => ({
    request,
    passes: [meant.egress, meant.ingress].every(
      (rules) => rules === undefined || rules.some((rule) => matchesRequest(rule, request)),
    ),
  }))
}
