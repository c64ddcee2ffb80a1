/** The short version of `npm run accuracy:known-truth`: what was really spun is what is measured. */
import { expect, test } from 'vitest'
import { overheadOf } from '../../measure/provider/overheads.ts'
import { withLab } from '../accuracy/lab-arms.ts'
import { measureSpunArms } from '../accuracy/spun-arms.ts'

/** Several times what the interval or the bias is beside heavy neighbours; a fifth of what is spun. */
const TOLERANCE_US = 12

test('a server that spins 60 µs longer is dearer by that, and one that does not is not', async () => {
  const { blocks, spunUs } = await withLab((lab) =>
    measureSpunArms(
      lab,
      { plain: 2, 'plain again': 2.001, spinning: 62 },
      { precision: '0.0001%', cap: '12s' },
      'known truth',
    ),
  )
  const spun = (arm: string): number => (spunUs.get(arm) ?? Number.NaN) - (spunUs.get('plain') ?? Number.NaN)
  const [spinning, again] = ['spinning', 'plain again'].map((arm) => overheadOf(blocks, arm, 'plain', 'p50'))

  expect(spun('spinning')).toBeGreaterThan(55)
  expect(spinning?.differenceLowUs).toBeGreaterThan(spun('spinning') - TOLERANCE_US)
  expect(spinning?.differenceHighUs).toBeLessThan(spun('spinning') + TOLERANCE_US)
  expect(spinning?.decisionLow).toBeGreaterThan(0.1)

  expect(again?.differenceLowUs).toBeGreaterThan(-TOLERANCE_US)
  expect(again?.differenceHighUs).toBeLessThan(TOLERANCE_US)
  expect(again?.low).toBeLessThan(again?.high ?? 0)
})
