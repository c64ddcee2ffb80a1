/** The second argument of a load: what is sent, and how it is measured. */
import * as v from 'valibot'
import { checkOptions } from './check-options.ts'
import { parseDurationMs, parsePercent } from './statistics/quantity.ts'

const text = v.pipe(v.string(), v.nonEmpty())
const percentOrFraction = v.union([v.string(), v.number()])

export const httpOptionsSchema = v.strictObject({
  /** Default `GET`, or `POST` when there is a body. */
  method: v.optional(v.picklist(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])),
  /** Default `/`. */
  path: v.optional(v.pipe(v.string(), v.startsWith('/'))),
  headers: v.optional(v.record(text, v.string())),
  /** A text, or so many bytes of filler. */
  body: v.optional(v.union([v.string(), v.strictObject({ bytes: v.pipe(v.number(), v.integer(), v.minValue(0)) })])),
  /** `per-request` opens a new connection for every request; default `keep-alive`. */
  connection: v.optional(v.picklist(['keep-alive', 'per-request'])),
  /** Default `paired`: latency, request by request. `rate`: open loop. `saturate`: throughput. */
  plan: v.optional(v.picklist(['paired', 'rate', 'saturate'])),
  /** Half-width of the 95 % interval that ends the measuring; default `'0.5%'` (`rate` and `saturate`: `'2%'`). */
  precision: v.optional(percentOrFraction),
  /** Longest time of measuring; default `'30s'`. */
  cap: v.optional(v.string()),
  /** Connections to each arm; default 1 (`rate` 16, `saturate` 32). */
  connections: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000))),
  /** Requests per second of each arm, `rate` only. */
  rate: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(1_000_000))),
  /** Length of a block's measured part, or of a window; default and least `'300ms'`. */
  block: v.optional(v.string()),
})
export type HttpOptions = v.InferInput<typeof httpOptionsSchema>

/** What is sent: may differ between the arms of a comparison. */
export interface RequestShape {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly connection: 'keep-alive' | 'per-request'
}

/** How it is measured: equal on all arms of a comparison. */
export interface Plan {
  readonly kind: 'paired' | 'rate' | 'saturate'
  /** Fraction. */
  readonly precision: number
  readonly capMs: number
  readonly blockMs: number
  readonly connections: number
  readonly ratePerS: number | null
}

const DEFAULTS = {
  paired: { precision: 0.005, connections: 1 },
  rate: { precision: 0.02, connections: 16 },
  saturate: { precision: 0.02, connections: 32 },
} as const
const LEAST_BLOCK_MS = 300

/**
 * Reads the options of `load.http`.
 * @throws Error that names the option, what was given and what is understood.
 */
export function parseHttpOptions(input: unknown): { request: RequestShape; plan: Plan } {
  const options = checkOptions('load.http', httpOptionsSchema, input)
  const kind = options.plan ?? 'paired'
  if (kind === 'rate' && options.rate === undefined) {
    throw new Error("load.http: plan 'rate' needs `rate`, the requests per second of each arm")
  }
  if (kind !== 'rate' && options.rate !== undefined) {
    throw new Error(`load.http: \`rate\` belongs to plan 'rate', this load has plan '${kind}'`)
  }
  const body = filler(options.body)
  const blockMs = options.block === undefined ? LEAST_BLOCK_MS : parseDurationMs(options.block)
  if (blockMs < LEAST_BLOCK_MS) {
    throw new Error(
      `load.http: block '${options.block}' is shorter than ${LEAST_BLOCK_MS} ms, too short to average over`,
    )
  }
  const precision = options.precision === undefined ? DEFAULTS[kind].precision : parsePercent(options.precision)
  if (!(precision > 0)) throw new Error(`load.http: precision '${options.precision}' must be over 0`)
  const capMs = options.cap === undefined ? 30_000 : parseDurationMs(options.cap)
  if (!(capMs > 0)) throw new Error(`load.http: cap '${options.cap}' must be over 0`)
  return {
    request: {
      method: options.method ?? (body.length > 0 ? 'POST' : 'GET'),
      path: options.path ?? '/',
      headers: lowerCaseNames(options.headers ?? {}),
      body,
      connection: options.connection ?? 'keep-alive',
    },
    plan: {
      kind,
      precision,
      capMs,
      blockMs,
      connections: options.connections ?? DEFAULTS[kind].connections,
      ratePerS: options.rate ?? null,
    },
  }
}

function filler(body: string | { bytes: number } | undefined): Buffer {
  if (body === undefined) return Buffer.alloc(0)
  return typeof body === 'string' ? Buffer.from(body) : Buffer.alloc(body.bytes, 'meshmark ')
}

/** @throws Error for a header that would break the framing of the request. */
function lowerCaseNames(headers: Record<string, string>): Record<string, string> {
  const lower: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || /[\r\n\0]/.test(value)) {
      throw new Error(`load.http: header "${name}" has characters that a header can't carry`)
    }
    if (['content-length', 'transfer-encoding', 'connection'].includes(name.toLowerCase())) {
      throw new Error(`load.http: header "${name}" is set by the load itself (see \`body\` and \`connection\`)`)
    }
    lower[name.toLowerCase()] = value
  }
  return lower
}
