/**
 * A server whose cost is known: `/?spin=MICROSECONDS` spins that long before it answers, and `/report` says what was really
 * spun (the clock is coarse and the loop overshoots). Both arms are one process and one code path: the plain arm spins, too,
 * and nothing is parsed per request, for '2.862' takes longer to become a number than '2.000'.
 */
import { createServer } from 'node:http'

interface Lane {
  readonly spin: string
  readonly wantedMs: number
  readonly spunUs: number[]
}

const lanes = new Map<string, Lane>()

createServer((request, response) => {
  const url = request.url ?? '/'
  if (url === '/report') {
    response.end(
      JSON.stringify(Object.fromEntries([...lanes.values()].map(({ spin, spunUs }) => [spin, median(spunUs)]))),
    )
    return
  }
  const lane = lanes.get(url) ?? open(url)
  const startMs = performance.now()
  let endMs = startMs
  while (endMs - startMs < lane.wantedMs) endMs = performance.now()
  lane.spunUs.push((endMs - startMs) * 1000)
  response.setHeader('content-length', 3)
  response.end('ok\n')
}).listen(Number(process.argv[2] ?? 8080))

function open(url: string): Lane {
  const spin = new URL(url, 'http://spin').searchParams.get('spin') ?? '0'
  const lane = { spin, wantedMs: Number(spin) / 1000, spunUs: [] }
  lanes.set(url, lane)
  return lane
}

function median(values: number[]): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
