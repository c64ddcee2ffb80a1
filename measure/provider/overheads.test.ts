import { expect, test } from 'vitest'
import { createRandom } from '../statistics/random.ts'
import type { MeasuredBlocks } from './measured.ts'
import { metricsOf, overheadOf, precisionReached } from './overheads.ts'
import { createBrokenBlock, type RawArm, type RawBlock } from './raw-block.ts'

interface Shape {
  blocks: number
  /** How many times longer arm b takes. */
  times: number
  kind: 'paired' | 'saturate'
  invalid: number
}

/** Blocks drawn from a seeded generator: what comes out is known because what goes in is. */
function blocks(shape: Partial<Shape> = {}): MeasuredBlocks {
  const { blocks: count = 40, times = 1.05, kind = 'paired', invalid = 0 } = shape
  const random = createRandom('overheads')
  const arm = (pod: number, latencyUs: Float64Array, factor: number): RawArm => ({
    pod,
    latencyUs,
    serviceUs: new Float64Array(),
    errors: 0,
    throughputPerS: kind === 'saturate' ? (10_000 / factor) * (1 + 0.01 * random.normal()) : null,
    cpuNs: { app: 20_000 * 400 * factor * (1 + 0.01 * random.normal()) },
    processes: { app: 1 },
    cpuRequests: 400,
    memoryBytes: { app: Math.round(30e6 * factor) },
  })
  const raw = Array.from({ length: count }, (_, index): RawBlock => {
    const a = new Float64Array(400)
    const b = new Float64Array(400)
    for (let i = 0; i < a.length; i++) {
      const machine = 100 * Math.exp(0.2 * random.normal())
      a[i] = machine * Math.exp(0.02 * random.normal())
      b[i] = machine * times * Math.exp(0.02 * random.normal())
    }
    return {
      index,
      startMs: index * 350,
      durationMs: 350,
      rounds: 400,
      opened: ['a', 'b'],
      note: null,
      invalid: index < invalid ? 'the agent waited for its CPU' : null,
      arms: new Map([
        ['a', arm(index % 6, a, 1)],
        ['b', arm((index + Math.floor(index / 6)) % 6, b, times)],
      ]),
      generator: {
        cpuShare: 0.5,
        cpuUsPerRequest: 30,
        runQueueWaitShare: 0,
        eventLoopDelayMaxUs: 0,
        wantedPerS: null,
        achievedPerS: null,
        pacingErrorP99Us: null,
        memoryBytes: 1e8,
      },
    }
  })
  return {
    arms: ['a', 'b'],
    plan: { kind, precision: 0.005, capMs: 30_000, blockMs: 300, connections: 1, ratePerS: null },
    seed: 'overheads',
    differences: [],
    looks: 4,
    measuredMs: count * 350,
    blocks: raw,
  }
}

test('pairing finds 5 % in requests that vary by 20 %', () => {
  const { relative, low, high, decisionLow, decisionHigh, differenceUs } = overheadOf(blocks(), 'b', 'a', 'p50')
  expect(relative).toBeCloseTo(0.05, 3)
  expect(low).toBeLessThan(0.05)
  expect(high).toBeGreaterThan(0.05)
  expect((high ?? 1) - (low ?? 0)).toBeLessThan(0.004)
  expect([(decisionLow ?? 1) < (low ?? 0), (decisionHigh ?? 0) > (high ?? 1)]).toEqual([true, true])
  expect(differenceUs).toBeCloseTo(5, 0)
})

// Resampling for the tails takes its time beside other work.
test('positive is dearer for every metric, whichever arm is asked about', { timeout: 30_000 }, () => {
  const sign = (measured: MeasuredBlocks, arm: string, over: string): [string, number][] =>
    metricsOf(measured.plan).flatMap((of): [string, number][] => {
      const { relative } = overheadOf(measured, arm, over, of)
      return relative === null ? [] : [[of, Math.sign(relative)]]
    })
  const paired = blocks({ times: 1.5 })
  expect(sign(paired, 'b', 'a')).toEqual(['p50', 'p90', 'p95', 'p99', 'mean', 'cpu', 'memory'].map((of) => [of, 1]))
  expect(sign(paired, 'a', 'b').every(([, value]) => value === -1)).toBe(true)
  const saturate = blocks({ times: 1.5, kind: 'saturate' })
  expect(sign(saturate, 'b', 'a')).toEqual(['throughput', 'cpu', 'memory'].map((of) => [of, 1]))
})

test('throughput is dearer by the share that is lost', () => {
  const { relative, high } = overheadOf(blocks({ times: 4, kind: 'saturate' }), 'b', 'a', 'throughput')
  expect(relative).toBeCloseTo(0.75, 2)
  expect(high).toBeLessThan(1)
})

test('what can not be decided has no decision bounds, and says why', () => {
  const few = overheadOf(blocks({ blocks: 12 }), 'b', 'a', 'p50')
  const selected = overheadOf(blocks({ invalid: 10 }), 'b', 'a', 'p50')
  const unequal = overheadOf(
    {
      ...blocks(),
      differences: [{ trait: 'server cpus', values: { a: '1', b: '0' }, blocking: true }],
    },
    'b',
    'a',
    'p50',
  )
  const other = overheadOf(blocks(), 'b', 'a', 'throughput')
  const rare = overheadOf(blocks(), 'b', 'a', 'p99.9')
  const bounds = [few, selected, unequal, other, rare].flatMap((overhead) => [
    overhead.decisionLow,
    overhead.decisionHigh,
  ])
  expect(bounds.every((bound) => bound === null)).toBe(true)
  expect([few, selected, unequal, other, rare].map((overhead) => overhead.unresolved)).toMatchInlineSnapshot(`
    [
      "12 valid blocks, at least 20 are needed: 8 more",
      "10 of 40 blocks are invalid (the agent waited for its CPU): the rest is a selection",
      "the arms do not run alike: server cpus (1 against 0)",
      "plan 'paired' does not measure throughput",
      "p99.9 needs 100,000 samples of each arm, there are 16,000: 84,000 more",
    ]
  `)
  // What was seen is still shown where there is an estimate.
  expect([selected.relative === null, unequal.relative === null]).toEqual([false, false])
})

test('precision is the widest half-width over the arms, null while there is none', () => {
  expect(precisionReached(blocks())).toBeLessThan(0.005)
  expect(precisionReached(blocks({ blocks: 19 }))).toBeNull()
})

test('blocks that broke are blocks: more than a fifth of them, and nothing is decided', () => {
  const broken = (index: number): RawBlock => createBrokenBlock(index, index * 350, 10, '"b": the connection was reset')
  const whole = blocks()
  const some = { ...whole, blocks: [...whole.blocks, ...[40, 41, 42].map(broken)] }
  expect(overheadOf(some, 'b', 'a', 'p50')).toMatchObject({ blocks: 40, unresolved: null })
  const many = { ...whole, blocks: [...whole.blocks, ...Array.from({ length: 11 }, (_, index) => broken(40 + index))] }
  expect(overheadOf(many, 'b', 'a', 'p50')).toMatchObject({
    blocks: 40,
    decisionLow: null,
    decisionHigh: null,
    unresolved: '11 of 51 blocks are invalid ("b": the connection was reset): the rest is a selection',
  })
})

test('memory, too, is not decided by a handful of blocks', () => {
  expect(overheadOf(blocks({ blocks: 5 }), 'b', 'a', 'memory')).toMatchObject({
    decisionHigh: null,
    unresolved: expect.stringContaining('5 valid blocks'),
  })
  expect(overheadOf(blocks(), 'b', 'a', 'memory').unresolved).toBeNull()
})
