import { readFileSync } from 'node:fs'
import * as v from 'valibot'

const figure = v.number()
const pair = v.tuple([figure, figure])
const triple = v.tuple([figure, figure, figure])
const tail = v.object({
  aUs: figure,
  bUs: figure,
  logRatio: figure,
  logRatioError: figure,
  differenceError: figure,
})

const referenceSchema = v.object({
  datasets: v.record(
    v.string(),
    v.object({
      values: v.array(figure),
      quantiles: v.array(pair),
      mean: figure,
      mad: figure,
      hodgesLehmann: figure,
      intervals: v.array(v.object({ alpha: figure, depth: figure, low: figure, high: figure })),
      lag1: figure,
    }),
  ),
  signedRank: v.record(v.string(), v.array(figure)),
  widthFactors: v.array(triple),
  normalQuantiles: v.array(pair),
  normalUpperTails: v.array(pair),
  studentQuantiles: v.array(triple),
  drift: v.record(
    v.string(),
    v.object({
      atMs: v.array(figure),
      values: v.array(figure),
      tau: figure,
      p: figure,
      perMinute: figure,
      scipyTau: figure,
      scipyExactP: v.nullable(figure),
    }),
  ),
  tails: v.object({
    a: v.array(v.array(figure)),
    b: v.array(v.array(figure)),
    figures: v.object({ p50: tail, p95: tail, p99: tail, mean: tail }),
  }),
  podComponents: v.record(
    v.string(),
    v.object({
      pod: v.array(figure),
      overPod: v.array(figure),
      values: v.array(figure),
      variances: pair,
      weights: pair,
      noise: figure,
    }),
  ),
})

/** What generate.py wrote: values by NumPy and SciPy. */
export const reference: v.InferOutput<typeof referenceSchema> = v.parse(
  referenceSchema,
  JSON.parse(readFileSync(new URL('reference.json', import.meta.url), 'utf8')),
)

/** The data sets, for `test.each`. */
export const datasets: [string, (typeof reference.datasets)[string]][] = Object.entries(reference.datasets)
