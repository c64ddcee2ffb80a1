import { expect, test } from 'vitest'
import { type FlowResult, isLetThrough, isStopped } from './flow.ts'

test.for<[FlowResult, boolean, boolean]>([
  [{ kind: 'answered', status: null }, true, false],
  [{ kind: 'answered', status: 503 }, true, false],
  [{ kind: 'answered', status: 403 }, false, true],
  [{ kind: 'silent' }, false, true],
  // It has arrived where nobody listens, or there is no way: no policy's doing, and no answer.
  [{ kind: 'refused', message: 'ECONNREFUSED' }, false, false],
  [{ kind: 'refused', message: 'ENETUNREACH' }, false, false],
])('%j: let through %s, stopped %s', ([result, letThrough, stopped]) => {
  expect([isLetThrough(result), isStopped(result)]).toEqual([letThrough, stopped])
})
