import { expect, test } from 'vitest'
import { parseRe2 } from './re2.ts'

test.for([
  ['/public', '/public', '/publicity'],
  ['GET|HEAD', 'HEAD', 'HEADS'],
  ['/a/[0-9]{1,3}', '/a/12', '/a/1234'],
  [String.raw`/\?bytes=\d+`, '/?bytes=7', '/?bytes='],
  ['[[:alpha:]]+', 'abc', 'a1'],
  ['[]a]', ']', 'b'],
  ['(?i:get)', 'GET', 'PUT'],
  ['(?P<id>[^/]+)', 'x', 'x/y'],
  [String.raw`\x2fa`, '/a', 'a'],
  ['a{b}', 'a{b}', 'ab'],
  ['/{id}', '/{id}', '/id'],
  ['.*', 'ä\u{1f600}', 'a\nb'],
  [String.raw`[\w-]+\.example\.com`, 'a-b.example.com', 'a.b.example.com'],
  ['[&-]+', '&-', 'x'],
] as const)('%s is for %j and not for %j', ([source, match, other]) => {
  const { javascript } = parseRe2(source)
  const expression = new RegExp(javascript, 'u')
  expect([expression.test(match), expression.test(other)]).toEqual([true, false])
})

test.for([
  '(?=a)',
  '(?!a)',
  '(?<=a)b',
  '(?<!a)b',
  '(?>a)',
  String.raw`(a)\1`,
  String.raw`\k<a>`,
  'a*+',
  'a**',
  '*a',
  'a{1001}',
  'a{2}{3}',
  '(a',
  'a)',
  '[a',
  'a\\',
  String.raw`\Z`,
  '[[:letters:]]',
  '(?s:.)',
  '[z-a]',
  '(?i)a',
])('%s is refused', (source) => {
  expect(() => parseRe2(source)).toThrowErrorMatchingSnapshot()
})
