import { expect, test } from 'vitest'
import { renderTables, untried } from './table.mjs'

const row = {
  of: 'probes',
  hook: 'send',
  what: 'tcp_sendmsg',
  rung: 'fentry',
  program: 'send_fentry',
  state: 'hash map',
  byItself: true,
  counted: 2240,
  done: 2240,
  missed: 0,
  beginningsMissed: 0,
  ok: true,
}
const path = {
  ...row,
  of: 'data path',
  hook: 'to_pod',
  what: "the node's datagrams",
  rung: 'tcx',
  counted: 400,
  done: 400,
}
const OUTCOMES = [
  {
    release: '5.10.0-32',
    rows: [row, { ...row, byItself: false, rung: 'kprobe' }, { ...path, rung: 'clsact' }],
    results: [],
    seconds: '1',
  },
  { release: '7.3.4', rows: [{ ...row, counted: 2200, missed: 40 }, path], results: [], seconds: '1' },
]

test('a column for each kernel, and a dash where it has no such way', () => {
  expect(renderTables(OUTCOMES)).toMatchInlineSnapshot(`
    "### What the probes take by themselves

    | hook | 5.10.0-32 | 7.3.4 |
    | --- | --- | --- |
    | send | fentry \`tcp_sendmsg\`: 2,240 of 2,240 | fentry \`tcp_sendmsg\`: 2,200 of 2,240 (40 missed) |

    ### Every rung

    With state in a hash map, which all of them reach. –: the kernel has no such tracepoint or function, or does not let it be used.

    | hook | rung | on | 5.10.0-32 | 7.3.4 |
    | --- | --- | --- | --- | --- |
    | send | kprobe | tcp_sendmsg | 2,240 of 2,240 | – |

    ### The data path

    | program | what was counted | 5.10.0-32 | 7.3.4 |
    | --- | --- | --- | --- |
    | to_pod | the node's datagrams | clsact: 400 of 400 | tcx: 400 of 400 |"
  `)
})

test('rungs that no kernel took', () => {
  expect(untried(OUTCOMES)).toEqual(['BTF tracepoint', 'raw tracepoint', 'cgroup'])
})
