import fc from 'fast-check'
import { expect, test } from 'vitest'
import { otherPorts, portBlocks } from './port-blocks.ts'

const range = fc.tuple(fc.nat(65535), fc.nat(65535)).map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }))

test('a range as aligned blocks', () => {
  expect([portBlocks(8080, 8080), portBlocks(0, 65535), portBlocks(80, 444)]).toMatchInlineSnapshot(`
    [
      [
        {
          "bits": 16,
          "port": 8080,
        },
      ],
      [
        {
          "bits": 0,
          "port": 0,
        },
      ],
      [
        {
          "bits": 12,
          "port": 80,
        },
        {
          "bits": 11,
          "port": 96,
        },
        {
          "bits": 9,
          "port": 128,
        },
        {
          "bits": 9,
          "port": 256,
        },
        {
          "bits": 11,
          "port": 384,
        },
        {
          "bits": 12,
          "port": 416,
        },
        {
          "bits": 13,
          "port": 432,
        },
        {
          "bits": 14,
          "port": 440,
        },
        {
          "bits": 16,
          "port": 444,
        },
      ],
    ]
  `)
})

test('blocks are aligned, in order, at most 30, and cover exactly the range', () => {
  fc.assert(
    fc.property(range, ({ first, last }) => {
      let next = first
      const blocks = portBlocks(first, last)
      for (const { port, bits } of blocks) {
        const size = 2 ** (16 - bits)
        expect(port).toBe(next)
        expect(port % size).toBe(0)
        next += size
      }
      expect(next).toBe(last + 1)
      expect(blocks.length).toBeLessThanOrEqual(30)
    }),
  )
})

test('other ports', () => {
  expect([
    otherPorts([]),
    otherPorts([
      { first: 80, last: 90 },
      { first: 0, last: 9 },
      { first: 85, last: 65535 },
    ]),
  ]).toMatchInlineSnapshot(`
    [
      [
        {
          "first": 0,
          "last": 65535,
        },
      ],
      [
        {
          "first": 10,
          "last": 79,
        },
      ],
    ]
  `)
})
