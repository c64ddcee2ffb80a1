import { describe, expect, test } from 'vitest'
import { complaints, readConsole } from './console.mjs'

const send = {
  hook: 'send',
  on: 'tcp_sendmsg',
  program: 'send_kprobe',
  rung: 'kprobe',
  state: 'hash map',
  byItself: false,
  counted: 10,
  done: 10,
  missed: 0,
  ok: true,
}
const open = { program: 'to_pod', rung: 'clsact', what: "the node's datagrams", counted: 4, done: 4, ok: true }
const RESULT = 'test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 25 filtered out; finished in 9.52s'
const CONSOLE = `SeaBIOS\r\n\u001b[2Jkernel 6.1.0-50-cloud-amd64\r\r\ntest ladder::all ... ladder ${JSON.stringify(send)}\r\r\n${RESULT}\r\r\ndatapath ${JSON.stringify(open)}\r\r\n${RESULT}\r\r\n`

describe('a console', () => {
  test('says which kernel it was, what was counted and how the tests went', () => {
    const { release, rows, results } = readConsole(CONSOLE)
    expect(release).toBe('6.1.0-50-cloud-amd64')
    expect(rows.map(({ of, hook, what, rung, counted }) => [of, hook, what, rung, counted])).toEqual([
      ['probes', 'send', 'tcp_sendmsg', 'kprobe', 10],
      ['data path', 'to_pod', "the node's datagrams", 'clsact', 4],
    ])
    expect(results).toEqual([RESULT, RESULT])
    expect(complaints('6.1', { release, rows, results })).toEqual([])
  })

  test('that ends early is complained about, whatever was fine until then', () => {
    expect(complaints('6.1', readConsole('SeaBIOS'))).toEqual(['6.1: the kernel did not start'])
    const cut = CONSOLE.slice(0, CONSOLE.indexOf('datapath'))
    expect(complaints('6.1', readConsole(cut))).toEqual(['6.1: 1 of 2 test programs came to an end'])
  })

  test('with a wrong count, or a failed test, is complained about', () => {
    const wrong = CONSOLE.replace('"counted":10', '"counted":9').replace('"ok":true', '"ok":false')
    expect(complaints('6.1', readConsole(wrong))).toEqual(['6.1: send_kprobe counted 9 of 10 (0 missed)'])
    const failed = CONSOLE.replace('ok. 1 passed; 0 failed', 'FAILED. 0 passed; 1 failed')
    expect(complaints('6.1', readConsole(failed))).toEqual([
      `6.1: ${RESULT.replace('ok. 1 passed; 0 failed', 'FAILED. 0 passed; 1 failed')}`,
    ])
  })
})
