import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Progress } from '../measure/progress.ts'
import { followProgress, readProgress } from './live-progress.ts'
import { progressLine } from './progress-line.ts'

const progress = (changes: Partial<Progress> = {}): Progress => ({
  project: 'istio',
  spec: 'bench/overhead.bench.ts',
  test: 'HTTP through the mesh',
  phase: 'measuring',
  arms: ['baseline', 'istio'],
  currentArm: null,
  block: 24,
  elapsedMs: 9100,
  capMs: 30_000,
  estimate: { of: 'p50', arm: 'istio', relative: 3.52, low: 3.49, high: 3.56 },
  at: 1000,
  ...changes,
})

test('a line of progress', () => {
  expect(
    [
      progress(),
      progress({ phase: 'warm-up', block: 0, elapsedMs: 400, estimate: null }),
      progress({ arms: ['open', 'L3/L4', 'L7'], currentArm: 'L7' }),
    ].map(progressLine),
  ).toMatchInlineSnapshot(`
    [
      "meshmark  istio › HTTP through the mesh   baseline ⇄ istio   block 24   9.1 s of 30 s   p50 +352 % [+349, +356]",
      "meshmark  istio › HTTP through the mesh   baseline ⇄ istio   warm-up   0.4 s of 30 s",
      "meshmark  istio › HTTP through the mesh   open ⇄ L3/L4 ⇄ L7   now L7   block 24   9.1 s of 30 s   istio p50 +352 % [+349, +356]",
    ]
  `)
})

test('the last of several lines counts, and half a file is no error', () => {
  const [first, second] = [progress(), progress({ block: 25 })].map((each) => JSON.stringify(each))
  expect(readProgress(`${first}\n${second}\n`)).toEqual(progress({ block: 25 }))
  expect([readProgress(''), readProgress((first ?? '').slice(0, 40)), readProgress('{}')]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})

test('news is printed every 5 s at most, a stale or known update never', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'meshmark-progress-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = join(folder, 'progress.json')
  const lines: string[] = []
  let now = 10_000
  using live = followProgress(
    file,
    (line) => lines.push(line),
    () => now,
  )
  const at = async (ms: number, update?: Progress): Promise<void> => {
    now = ms
    if (update !== undefined) await writeFile(file, JSON.stringify(update))
    await live.poll()
  }
  await at(10_500)
  await at(11_000, progress({ at: 9000, block: 1 }))
  await at(12_000, progress({ at: 11_900, block: 2 }))
  await at(14_000, progress({ at: 13_900, block: 3 }))
  await at(17_500, progress({ at: 17_400, block: 4 }))
  await at(30_000)
  expect(lines.map((line) => /block \d+/.exec(line)?.[0])).toEqual(['block 2', 'block 4'])
})
