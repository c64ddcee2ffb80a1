/** The agent's drivers against real servers on loopback. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createRandom } from '../statistics/random.ts'
import { ArmFailure, ArmSender } from './arm-sender.ts'
import { createPaired } from './paired.ts'
import type { PlanContext } from './plan-run.ts'
import { type AgentArm, type AgentPlan, decodeSamples } from './protocol.ts'
import { createRate } from './rate.ts'
import { createSaturate } from './saturate.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function serve(handler: Parameters<typeof createServer>[1]): Promise<number> {
  const server = createServer(handler)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function agentArm(name: string, port: number, more: Partial<AgentArm> = {}): AgentArm {
  return {
    name,
    protocol: 'http/1.1',
    pods: [{ host: '127.0.0.1', port }],
    method: 'GET',
    path: '/',
    headers: {},
    bodyBase64: '',
    connection: 'keep-alive',
    ...more,
  }
}

function context(arms: readonly AgentArm[], plan: Partial<AgentPlan>): PlanContext & { edges: string[] } {
  const edges: string[] = []
  return {
    edges,
    plan: {
      kind: 'paired',
      blockMs: 50,
      connections: 1,
      ratePerS: null,
      usageWindowMs: 5,
      polling: false,
      seed: 'test',
      ...plan,
    },
    arms: arms.map((arm) => new ArmSender(arm)),
    random: createRandom('test'),
    edge: async (arm, edge) => {
      edges.push(`${arm} ${edge}`)
    },
  }
}

test('paired: as many samples of every arm, each round complete, usage windows apart', async () => {
  const port = await serve((_request, response) => response.end('ok'))
  const given = context([agentArm('a', port), agentArm('b', port, { connection: 'per-request' })], {})
  const block = await createPaired(given)(false, [0, 0])
  const lengths = block.arms.map((arm) => decodeSamples(arm.latencyUs).length)
  expect(lengths).toEqual([block.rounds, block.rounds])
  expect(block.rounds).toBeGreaterThanOrEqual(200)
  expect(given.edges).toHaveLength(8)
  expect(given.edges.slice(4)).toEqual([...given.edges.slice(2, 4), ...given.edges.slice(0, 2)])
  expect(block.arms.every((arm) => arm.usageRequests > 0)).toBe(true)
})

test('paired: a polling agent gives the same kind of block', async () => {
  const port = await serve((_request, response) => response.end('ok'))
  const given = context([agentArm('a', port), agentArm('b', port)], { polling: true })
  const block = await createPaired(given)(false, [0, 0])
  expect(block.arms.map((arm) => decodeSamples(arm.latencyUs).length)).toEqual([block.rounds, block.rounds])
  expect(given.edges).toHaveLength(8)
  expect(given.edges.slice(4)).toEqual([...given.edges.slice(2, 4), ...given.edges.slice(0, 2)])
  expect(block.arms.every((arm) => arm.errors === 0 && arm.usageRequests > 0)).toBe(true)
})

test('paired: a round in which one arm was not served counts for none', async () => {
  let requests = 0
  const port = await serve((_request, response) => response.end('ok'))
  const failing = await serve((_request, response) => {
    response.statusCode = ++requests % 10 === 0 ? 503 : 200
    response.end('ok')
  })
  const block = await createPaired(context([agentArm('a', port), agentArm('b', failing)], { usageWindowMs: 0 }))(
    false,
    [0, 0],
  )
  const [a, b] = block.arms
  expect(b?.errors).toBeGreaterThan(0)
  expect(decodeSamples(a?.latencyUs ?? '').length).toBe(decodeSamples(b?.latencyUs ?? '').length)
  expect(decodeSamples(a?.latencyUs ?? '').length).toBe(block.rounds - (b?.errors ?? 0))
})

test('a server that goes away fails the block and names the arm', async () => {
  const port = await serve((request, response) => {
    if (Math.random() < 0.01) request.socket.destroy()
    else response.end('ok')
  })
  const run = createPaired(context([agentArm('gone', port)], {}))(false, [0])
  await expect(run).rejects.toThrowError(ArmFailure)
  await expect(run).rejects.toMatchObject({ arm: 'gone' })
})

test('rate: a stall of the server is in the latency from the intended time, and not in the service time', async () => {
  let requests = 0
  const port = await serve((_request, response) => {
    // Once, after 100 requests, the whole process stands still for 200 ms.
    if (++requests === 100) {
      const end = performance.now() + 200
      while (performance.now() < end);
    }
    response.end('ok')
  })
  const given = context([agentArm('stalls', port)], { kind: 'rate', ratePerS: 500, blockMs: 1000, connections: 1 })
  const block = await createRate(given)(true, [0])
  const latency = decodeSamples(block.arms[0]?.latencyUs ?? '').toSorted()
  const service = decodeSamples(block.arms[0]?.serviceUs ?? '').toSorted()
  // About 100 of 500 arrivals fall into the stall; on one connection only one request sees it as service time.
  const over100ms = (samples: Float64Array): number => samples.filter((us) => us > 100_000).length
  expect(over100ms(latency)).toBeGreaterThan(20)
  expect(over100ms(service)).toBeLessThanOrEqual(2)
  expect(latency.length).toBe(block.rounds)
})

test('saturate: counts what autocannon was answered, new connections too', async () => {
  const port = await serve((_request, response) => response.end('ok'))
  const arms = [agentArm('keep', port), agentArm('new', port, { connection: 'per-request' })]
  const block = await createSaturate(context(arms, { kind: 'saturate', connections: 4, blockMs: 200 }), arms)(
    false,
    [0, 0],
  )
  const [keep, fresh] = block.arms
  expect(keep?.throughputPerS).toBeGreaterThan(fresh?.throughputPerS ?? Infinity)
  expect(fresh?.throughputPerS).toBeGreaterThan(0)
})

test("paired: requests take turns over the arm's connections", async () => {
  const requests = new Map<unknown, number>()
  const port = await serve((request, response) => {
    requests.set(request.socket, (requests.get(request.socket) ?? 0) + 1)
    response.end('ok')
  })
  const plan = { connections: 3, usageWindowMs: 0 }
  const block = await createPaired(context([agentArm('a', port)], plan))(false, [0])
  const counts = [...requests.values()]
  expect(counts).toHaveLength(3)
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(block.requests)
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
})

test('paired: a warm-up drives every arm on eight connections first, and says how long a block that counts takes', async () => {
  const sockets = [new Map<unknown, number>(), new Map<unknown, number>()] as const
  const ports = await Promise.all(
    sockets.map((requests) =>
      serve((request, response) => {
        requests.set(request.socket, (requests.get(request.socket) ?? 0) + 1)
        response.end('ok')
      }),
    ),
  )
  const arms = ports.map((port, index) => agentArm(`arm ${index}`, port))
  const plan = { connections: 1, usageWindowMs: 0, blockMs: 300 }
  const block = await createPaired(context(arms, plan))(true, [0, 0])
  expect(block.rounds).toBe(200)
  expect(block.countingMs).toBeGreaterThanOrEqual(300)
  for (const requests of sockets) {
    const counts = [...requests.values()]
    expect(counts).toHaveLength(9)
    expect(Math.min(...counts.slice(0, 8))).toBeGreaterThan(0)
    expect(counts.at(-1)).toBe(300)
  }
})

test('rate: the same arrivals for every arm, each on its own window of connections, all answered', async () => {
  const port = await serve((_request, response) => response.end('ok'))
  const arms = [agentArm('kept', port), agentArm('new', port, { connection: 'per-request' })]
  const given = context(arms, { kind: 'rate', ratePerS: 400, blockMs: 500, connections: 4 })
  const block = await createRate(given)(false, [0, 0])
  const samples = block.arms.map((arm) => ({
    arm: arm.arm,
    latencyUs: decodeSamples(arm.latencyUs),
    serviceUs: decodeSamples(arm.serviceUs),
    errors: arm.errors,
  }))
  expect(
    samples.map(({ arm, errors, latencyUs, serviceUs }) => [arm, errors, latencyUs.length, serviceUs.length]),
  ).toEqual(['kept', 'new'].map((arm) => [arm, 0, block.rounds, block.rounds]))
  // Nothing is sent before it is due, and latency holds what the send was late.
  expect(samples.every(({ latencyUs, serviceUs }) => latencyUs.every((us, i) => us - (serviceUs[i] ?? 0) > -1))).toBe(
    true,
  )
  expect(block.wantedPerS).toBe(block.rounds / 0.5)
  expect(given.edges).toEqual(block.opened.flatMap((arm) => [`${arm} start`, `${arm} end`]))
})

test('rate: sends far apart are sent on time', { retry: 3 }, async () => {
  const port = await serve((_request, response) => response.end('ok'))
  const given = context([agentArm('a', port)], { kind: 'rate', ratePerS: 100, blockMs: 600, connections: 2 })
  const run = createRate(given)
  await run(true, [0])
  const [arm] = (await run(true, [0])).arms
  const serviceUs = decodeSamples(arm?.serviceUs ?? '')
  const lateUs = decodeSamples(arm?.latencyUs ?? '').map((us, i) => us - (serviceUs[i] ?? 0))
  // Timers alone would be late by half a ms at the median; a busy machine may hold up single sends by far more.
  expect(lateUs.toSorted()[Math.floor(lateUs.length / 2)]).toBeLessThan(250)
})

test('rate: a server that goes away fails the block and names the arm', async () => {
  let requests = 0
  const port = await serve((request, response) => {
    if (++requests === 20) request.socket.destroy()
    else response.end('ok')
  })
  const given = context([agentArm('gone', port)], { kind: 'rate', ratePerS: 500, blockMs: 60_000, connections: 2 })
  await expect(createRate(given)(true, [0])).rejects.toMatchObject({ constructor: ArmFailure, arm: 'gone' })
})
