/** The table of the kernels, as Markdown. */

/** @typedef {import('./console.mjs').Outcome} Outcome */
/** @typedef {import('./console.mjs').Row} Row */

/** Ways into the kernel of which each has to be taken somewhere. */
const RUNGS = ['BTF tracepoint', 'raw tracepoint', 'fentry', 'kprobe', 'clsact', 'tcx', 'cgroup']

/**
 * @param {Outcome[]} outcomes one for each kernel
 * @returns {string[]} rungs that no kernel took
 */
export function untried(outcomes) {
  const taken = new Set(outcomes.flatMap(({ rows }) => rows.map((row) => row.rung)))
  return RUNGS.filter((rung) => !taken.has(rung))
}

/**
 * @param {Outcome[]} outcomes
 * @returns {string}
 */
export function renderTables(outcomes) {
  const probes = (row) => row.of === 'probes'
  return [
    '### What the probes take by themselves',
    table(
      outcomes,
      ['hook'],
      (row) => probes(row) && row.byItself,
      (row) => [row.hook],
      (row) => `${way(row)}: ${counts(row)}`,
    ),
    '### Every rung',
    'With state in a hash map, which all of them reach. –: the kernel has no such tracepoint or function, or does not let it be used.',
    table(
      outcomes,
      ['hook', 'rung', 'on'],
      (row) => probes(row) && !row.byItself,
      (row) => [row.hook, row.rung, row.what],
      counts,
    ),
    '### The data path',
    table(
      outcomes,
      ['program', 'what was counted'],
      (row) => !probes(row),
      (row) => [row.hook, row.what],
      (row) => `${row.rung}: ${counts(row)}`,
    ),
  ].join('\n\n')
}

/** @param {Row} row */
const way = (row) => (row.rung === 'cgroup' || row.rung === 'iterator' ? row.rung : `${row.rung} \`${row.what}\``)

/** @param {Row} row */
function counts({ counted, done, missed, beginningsMissed, ok }) {
  const number = (value) => value.toLocaleString('en-US')
  const unseen = beginningsMissed > 0 && counted + missed < done
  const also = unseen ? `, and the beginning of ${beginningsMissed}` : ''
  const more = counted < done ? ` (${number(missed)} missed${also})` : ''
  return `${ok ? '' : '**wrong** '}${number(counted)} of ${number(done)}${more}`
}

/**
 * A line for each thing, a column for each kernel.
 * @param {Outcome[]} outcomes
 * @param {string[]} head
 * @param {(row: Row) => boolean} wanted
 * @param {(row: Row) => string[]} key
 * @param {(row: Row) => string} cell
 */
function table(outcomes, head, wanted, key, cell) {
  /** @type {Map<string, { key: string[], cells: string[] }>} */
  const lines = new Map()
  outcomes.forEach(({ rows }, column) => {
    for (const row of rows.filter(wanted)) {
      const id = key(row).join('\0')
      const line = lines.get(id) ?? { key: key(row), cells: outcomes.map(() => '–') }
      line.cells[column] = cell(row)
      lines.set(id, line)
    }
  })
  const kernels = outcomes.map(({ release }) => release ?? '?')
  const sorted = [...lines.values()].toSorted((a, b) => a.key[0].localeCompare(b.key[0]))
  return [
    [...head, ...kernels],
    [...head, ...kernels].map(() => '---'),
    ...sorted.map((line) => [...line.key, ...line.cells]),
  ]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
}
