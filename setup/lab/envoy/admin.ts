import { request } from 'node:http'

/** Asks a proxy's admin interface, a Unix socket; undefined while it doesn't answer. */
export function askAdmin(socketPath: string, path: string): Promise<{ status: number; body: string } | undefined> {
  return new Promise((resolve) => {
    const call = request({ socketPath, path, timeout: 1000, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      response.on('error', () => resolve(undefined))
    })
    call.on('timeout', () => call.destroy())
    call.on('error', () => resolve(undefined))
    call.end()
  })
}

/** Sum of the counters or gauges whose name matches `filter` (Envoy's /stats?filter=, a regular expression). */
export async function sumStats(socketPath: string, filter: string): Promise<number> {
  const answer = await askAdmin(socketPath, `/stats?filter=${encodeURIComponent(filter)}`)
  let sum = 0
  for (const line of answer?.body.split('\n') ?? []) {
    const value = /: (\d+)$/.exec(line)?.[1]
    if (value !== undefined) sum += Number(value)
  }
  return sum
}
