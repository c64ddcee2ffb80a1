import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { findProbeProgram } from '../../setup/lab/ebpf/loader-binary.ts'
import { ProbeClient } from './probe-client.ts'

const program = findProbeProgram('meshmark-probe')

test('counts the requests of a port, from a reset to the end', async () => {
  const server = createServer((socket) => socket.on('data', (data) => socket.write(data)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('it listens on a port')
  await using probes = await ProbeClient.attach({
    program,
    probes: ['latency', 'connections'],
    targets: [`echo=address:127.0.0.1:${address.port}`],
  })
  const socket = connect(address.port, '127.0.0.1')
  socket.setNoDelay()
  await ask(socket, 10)
  const [before] = (await probes.snapshot()).targets
  await probes.reset()
  await ask(socket, 25)
  socket.destroy()
  server.close()
  await once(server, 'close')
  const report = await probes.stop()
  const [after] = report.targets
  expect({
    before: before?.latency?.client.turn.count,
    after: after?.latency?.client.turn.count,
    server: after?.latency?.server.turn.count,
    closed: after?.connections?.client.closed,
    partial: report.partial,
    lost: Object.values(report.lost).reduce((sum, count) => sum + count, 0),
    hooks: probes.ready.hooks.filter((hook) => hook.rung === null),
  }).toEqual({ before: 10, after: 25, server: 25, closed: 1, partial: false, lost: 0, hooks: [] })
})

test('what the program refuses is the error', async () => {
  const attach = (targets: string[]) => ProbeClient.attach({ program, probes: ['drops'], targets })
  await expect(attach(['netns:none-such'])).rejects.toThrowErrorMatchingInlineSnapshot(
    `[Error: meshmark-probe: opening the network namespace /run/netns/none-such: No such file or directory (os error 2)]`,
  )
  await expect(
    ProbeClient.attach({ program: '/none', probes: ['drops'], targets: [] }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(`[Error: /none can't be started: spawn /none ENOENT]`)
})

async function ask(socket: Socket, requests: number): Promise<void> {
  for (let request = 0; request < requests; request++) {
    socket.write('request')
    await once(socket, 'data')
  }
}
