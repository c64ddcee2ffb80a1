/** Why a judged row has its outcome, in sentences. */
import { type Comparison, isTime, type MeshmarkRecord, type Overhead } from '../../measure/record.ts'
import { valueOf } from '../arm-value.ts'
import { ABSENT, bounds, duration, metricValue, microseconds, plusMinus } from '../figures.ts'
import { controlsOf, isControl, isInsideNoise, noiseFloorFor } from '../../measure/noise-floor.ts'
import { budgetText, estimateText, isDecidable, type JudgedRow, whatDecides } from '../verdict.ts'

function estimateSentence(comparison: Comparison, overhead: Overhead): string {
  const { of, differenceUs, differenceLowUs, differenceHighUs } = overhead
  const value = (name: string): string =>
    metricValue(
      of,
      valueOf(
        comparison.arms.find((arm) => arm.name === name),
        of,
      ),
    )
  const [from, to] = [value(overhead.over), value(overhead.arm)]
  const values = from === ABSENT && to === ABSENT ? '' : ` (${from} → ${to})`
  const range =
    differenceLowUs === null || differenceHighUs === null
      ? ''
      : ` [${microseconds(differenceLowUs)}, ${microseconds(differenceHighUs)}]`
  const difference =
    differenceUs === null || !isTime(of) ? '' : `, a difference of ${microseconds(differenceUs)}${range}`
  return `The estimate is ${estimateText(overhead)}${values}${difference}.`
}

function blocksSentence({ stopped }: Comparison, { blocks, effectiveBlocks }: Overhead): string {
  const worth = effectiveBlocks === null ? '' : `, worth ${Math.round(effectiveBlocks)} independent ones`
  const looks = `look ${stopped.looksTaken} of ${stopped.looksMs.length}`
  const ended = {
    precision: `the precision was reached at ${looks}`,
    cap: `the cap ended it at ${looks}`,
    aborted: 'it was aborted',
  }[stopped.reason]
  return `Measured: ${blocks} valid blocks${worth}, in ${duration(stopped.measuredMs)} of measuring: ${ended}.`
}

function decisionSentence(overhead: Overhead): string {
  const { decisionLow, decisionHigh, outcome, claim, budget } = overhead
  if (decisionLow === null || decisionHigh === null) return 'There are no decision bounds.'
  const line = claim === 'faster' ? '0' : budgetText(overhead)
  const floor = budget?.atLeastUs === undefined ? undefined : microseconds(budget.atLeastUs)
  const both = `The decision bounds ${bounds(decisionLow, decisionHigh)}`
  const relative = budget?.relative ?? 0
  if (outcome === 'inconclusive') return `${both} lie on both sides of ${line}.`
  if (outcome === 'fail') return `${both} lie over ${line}.`
  // Under the floor a row passes although its share is over the budget.
  if (floor !== undefined && decisionHigh >= relative)
    return `${both} are not under the share, but the difference is under ${floor}.`
  return `${both} lie under ${line}.`
}

function noiseSentence(record: MeshmarkRecord, { comparison, overhead }: JudgedRow): string {
  if (isControl(comparison)) return 'This row is the noise floor: the baseline against itself.'
  const floor = noiseFloorFor(controlsOf(record.comparisons), comparison, overhead.of)
  if (floor === undefined) return `The run has no noise floor for ${overhead.of}: no project baseline measured it.`
  const size = `The noise floor for ${overhead.of} is ${plusMinus(floor.reach)}`
  if (isInsideNoise(overhead, floor)) return `${size}: the whole interval lies within noise.`
  const budget = overhead.claim === 'faster' ? undefined : overhead.budget?.relative
  if (budget === undefined || floor.reach <= budget) return `${size}.`
  return !isDecidable(overhead)
    ? `${size}, wider than the budget: this machine can't resolve it.`
    : `${size}, wider than the budget as long as it was measured.`
}

function nextStep(comparison: Comparison, overhead: Overhead): string[] {
  if (overhead.outcome !== 'inconclusive') return []
  const sentence = whatDecides(overhead)
  const said = `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`
  if (isDecidable(overhead)) {
    const cap = Math.ceil((comparison.stopped.measuredMs / 1000 + overhead.secondsToDecide) / 5) * 5
    return [`${said}: give the load { cap: '${cap}s' }${needsPrecision(comparison) ? ' and a smaller precision' : ''}.`]
  }
  return [`${said}: remove what stands in the way, quieten the machine, or widen the budget.`]
}

/** The engine stops on precision, so a longer cap alone changes nothing where precision ended it. */
const needsPrecision = ({ stopped }: Comparison): boolean => stopped.reason === 'precision'

/** The sentences that lead to a row's outcome. */
export function reasonFor(record: MeshmarkRecord, row: JudgedRow): string[] {
  const { comparison, overhead } = row
  const estimated =
    overhead.relative === null
      ? [`There is no estimate: ${overhead.unresolved ?? 'nothing was measured'}.`]
      : [
          estimateSentence(comparison, overhead),
          ...(overhead.unresolved === null ? [] : [`No verdict: ${overhead.unresolved}.`]),
          decisionSentence(overhead),
        ]
  return [
    ...estimated,
    blocksSentence(comparison, overhead),
    ...(overhead.relative === null ? [] : [noiseSentence(record, row)]),
    ...nextStep(comparison, overhead),
  ]
}
