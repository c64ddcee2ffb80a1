import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { holderOf, listeningSockets, parseSocketTable } from './listening.ts'

test('reads listening sockets from /proc/net/tcp and tcp6, and which only their own pod reaches', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0
   1: 00000000:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1 0 100 0 0 10 0
   2: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 333 1 0 100 0 0 10 0
   3: 00000000000000000000000001000000:0FA0 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 444 1 0
   4: 00000000000000000000000000000000:1388 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 555 1 0
   5: 0000000000000000FFFF00000100007F:1770 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 666 1 0
`
  expect(parseSocketTable(table)).toEqual([
    { port: 8080, loopback: true, inode: '111' },
    { port: 3000, loopback: false, inode: '222' },
    { port: 4000, loopback: true, inode: '444' },
    { port: 5000, loopback: false, inode: '555' },
    { port: 6000, loopback: true, inode: '666' },
  ])
})

test('finds the holder of a socket', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const socket = listeningSockets(process.pid).find((candidate) => candidate.port === port)
  expect(holderOf(socket?.inode ?? '', [1, process.pid])).toContain(`(pid ${process.pid})`)
  server.close()
})

test('a process that has ended listens nowhere', () => {
  expect(listeningSockets(4_194_304)).toEqual([])
})
