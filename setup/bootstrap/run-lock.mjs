/** One set-up or build of a checkout at a time. */
import { createHash } from 'node:crypto'
import { connect, createServer } from 'node:net'

/**
 * Holds the checkout's lock while `work` runs; waits for whoever has it. The lock is a Unix socket in Linux's abstract
 * namespace (unix(7)), so the kernel releases it however its holder ends and nothing stale is ever left.
 * Elsewhere there is no such namespace and no lock.
 * @template T
 * @param {string} root the checkout
 * @param {() => void} onWait called once, when there is someone to wait for
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(root, onWait, work) {
  if (process.platform !== 'linux') return work()
  const name = `\0meshmark-${process.getuid?.()}-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`
  let release = await acquire(name)
  if (!release) onWait()
  while (!release) {
    await holderGone(name)
    release = await acquire(name)
  }
  try {
    return await work()
  } finally {
    await release()
  }
}

/**
 * @param {string} name
 * @returns {Promise<(() => Promise<void>) | undefined>} undefined while another process has it
 */
function acquire(name) {
  return new Promise((resolve, reject) => {
    /** @type {Set<import('node:net').Socket>} */
    const waiting = new Set()
    const server = createServer((socket) => waiting.add(socket.on('error', () => {}).unref()))
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)))
    server.listen(name, () => {
      server.unref()
      resolve(
        () =>
          new Promise((done) => {
            server.close(() => done())
            for (const socket of waiting) socket.destroy()
          }),
      )
    })
  })
}

/**
 * Resolves when the holder has let go: the connection to it ends.
 * @param {string} name
 * @returns {Promise<void>}
 */
function holderGone(name) {
  return new Promise((resolve) => {
    const socket = connect(name)
    socket.resume()
    socket.on('error', () => {})
    socket.once('close', () => setTimeout(resolve, 50))
  })
}
