/** Reading what the tests printed, on the console of a kernel that was booted or right here. */

/**
 * @typedef {object} Row what one program counted (`ladder.rs` and `kernel.rs` print it)
 * @property {'probes' | 'data path'} of
 * @property {string} hook what is watched; of the data path: the program
 * @property {string} what more exactly: the tracepoint or function; of the data path: what was sent
 * @property {string} rung
 * @property {string} program
 * @property {string} state where the probes kept the state of connections
 * @property {boolean} byItself the program took this way without being told
 * @property {number} counted
 * @property {number} done how much there was to count
 * @property {number} missed runs that the kernel left out, by its own count
 * @property {number} beginningsMissed connections whose beginning it left out: they are not watched at all
 * @property {boolean} ok
 */

/**
 * @typedef {object} Outcome
 * @property {string | undefined} release undefined: it did not come so far
 * @property {Row[]} rows
 * @property {string[]} results cargo's lines, one for each of the two test programs
 * @property {string} seconds
 */

/** Test programs in each kernel: the probes', and the data path's. */
export const PROGRAMS = 2

/**
 * @param {string} text
 * @returns {Omit<Outcome, 'seconds'>}
 */
export function readConsole(text) {
  const lines = text.split(/\r*\n/)
  const rows = lines.flatMap((line) => {
    // The name of the test stands before the first.
    const [, kind, json] = /(?:^|\s)(ladder|datapath) (\{.*\})$/.exec(line) ?? []
    return json ? [toRow(kind, JSON.parse(json))] : []
  })
  return {
    release: lines.map((line) => /kernel (\d\S*)$/.exec(line)?.[1]).find(Boolean),
    rows,
    results: lines.filter((line) => line.startsWith('test result: ')),
  }
}

/** @returns {Row} */
function toRow(kind, value) {
  const { program, rung, counted, done, missed = 0, beginningsMissed = 0, ok } = value
  const own = { program, rung, counted, done, missed, beginningsMissed, ok }
  if (kind === 'ladder') {
    return { of: 'probes', hook: value.hook, what: value.on, state: value.state, byItself: value.byItself, ...own }
  }
  return { of: 'data path', hook: program, what: value.what, state: '', byItself: true, ...own }
}

/**
 * All that keeps a kernel from being one that works.
 * @param {string} name
 * @param {Omit<Outcome, 'seconds'>} outcome
 * @returns {string[]}
 */
export function complaints(name, { release, rows, results }) {
  if (!release) return [`${name}: the kernel did not start`]
  const found = []
  if (results.length !== PROGRAMS) found.push(`${name}: ${results.length} of ${PROGRAMS} test programs came to an end`)
  found.push(...results.filter((line) => !line.startsWith('test result: ok.')).map((line) => `${name}: ${line}`))
  if (rows.length === 0) found.push(`${name}: nothing was counted`)
  for (const row of rows.filter((each) => !each.ok)) {
    found.push(`${name}: ${row.program} counted ${row.counted} of ${row.done} (${row.missed} missed)`)
  }
  return found
}
