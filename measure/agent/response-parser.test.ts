import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ResponseParser } from './response-parser.ts'

/** Feeds the bytes in the given pieces; the number of pieces after which the response was complete. */
function feed(parser: ResponseParser, bytes: Buffer, cuts: readonly number[]): boolean[] {
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  return edges.slice(1).map((edge, index) => parser.feed(Buffer.from(bytes.subarray(edges[index], edge))))
}

const responses = {
  'content-length': 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello',
  'no body': 'HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n',
  chunked:
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: y\r\n\r\n',
  'interim first': 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n',
}

test.each(Object.entries(responses))('finds the end of a response however it is cut: %s', (_name, text) => {
  const bytes = Buffer.from(text)
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 12 }), (cuts) => {
      const parser = new ResponseParser('GET')
      const done = feed(parser, bytes, cuts)
      // Empty pieces at the end may follow the completing one.
      expect(done.includes(true)).toBe(true)
      expect(done.slice(0, done.indexOf(true)).every((piece) => !piece)).toBe(true)
    }),
  )
})

test('tells status, body length and whether the connection ends', () => {
  const seen = Object.entries(responses).map(([name, text]) => {
    const parser = new ResponseParser('GET')
    parser.feed(Buffer.from(text))
    return [name, parser.status, parser.bodyBytes, parser.closes]
  })
  expect(seen).toEqual([
    ['content-length', 200, 5, false],
    ['no body', 204, 0, false],
    ['chunked', 200, 11, false],
    ['interim first', 503, 0, false],
  ])
})

test('a response without a length ends with the connection', () => {
  const parser = new ResponseParser('GET')
  expect(parser.feed(Buffer.from('HTTP/1.1 200 OK\r\n\r\nsome'))).toBe(false)
  expect(parser.feed(Buffer.from(' more'))).toBe(false)
  expect(parser.end()).toBe(true)
  expect([parser.bodyBytes, parser.closes]).toEqual([9, true])
})

test('HEAD has no body whatever its length says', () => {
  const parser = new ResponseParser('HEAD')
  expect(parser.feed(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n'))).toBe(true)
})

test.each([
  ['SSH-2.0-OpenSSH_9.2\r\n\r\n', 'not an HTTP/1.1 response: "SSH-2.0-OpenSSH_9.2"'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP', '4 bytes after the end of the response'],
  ['HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n', 'bad content-length "x"'],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 'bad chunk size "zz"'],
])('refuses what is no response: %j', (text, message) => {
  expect(() => new ResponseParser('GET').feed(Buffer.from(text))).toThrow(message)
})
