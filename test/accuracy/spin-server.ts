/**
 * A server whose cost is known: `/?spin=MICROSECONDS` spins that long before it answers, and `/report` says what was really
 * spun (the clock is coarse and the loop overshoots). Both arms are one process and one code path: the plain arm spins, too.
 */
import { createServer } from 'node:http'

const spun = new Map<string, number[]>()

createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://spin')
  if (url.pathname === '/report') {
    const medians = Object.fromEntries([...spun].map(([key, values]) => [key, median(values)]))
    response.end(JSON.stringify(medians))
    return
  }
  const key = url.searchParams.get('spin') ?? '0'
  const wantedMs = Number(key) / 1000
  const startMs = performance.now()
  let endMs = startMs
  while (endMs - startMs < wantedMs) endMs = performance.now()
  const values = spun.get(key) ?? []
  spun.set(key, values)
  values.push((endMs - startMs) * 1000)
  response.setHeader('content-length', 3)
  response.end('ok\n')
}).listen(Number(process.argv[2] ?? 8080))

function median(values: number[]): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
