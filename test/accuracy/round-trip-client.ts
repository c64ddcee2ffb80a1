/**
 * The plainest client there is: one request after the other on one bare socket, no code of the agent's. Prints the
 * round trips in ms as JSON. `node round-trip-client.ts HOST PORT PATH REQUESTS`
 */
import { connect } from 'node:net'

const [host = '', port = '', path = '/', requests = '300'] = process.argv.slice(2)
const request = Buffer.from(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`)
const tookMs: number[] = []
let sentMs = 0
const socket = connect({ host, port: Number(port), noDelay: true }, send)
socket.on('data', () => {
  tookMs.push(performance.now() - sentMs)
  if (tookMs.length < Number(requests)) setTimeout(send, 1)
  else {
    socket.destroy()
    process.stdout.write(JSON.stringify(tookMs))
  }
})

function send(): void {
  sentMs = performance.now()
  socket.write(request)
}
