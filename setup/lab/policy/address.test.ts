import fc from 'fast-check'
import { BlockList, isIPv4 } from 'node:net'
import { expect, test } from 'vitest'
import { contains, parsePrefix } from './address.ts'

test.for([
  ['10.1.2.3/8', '10.0.0.0/8'],
  ['10.1.2.3', '10.1.2.3/32'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['FD00:0::1/64', 'fd00::/64'],
  ['::/0', '::/0'],
  ['2001:db8::1', '2001:db8::1/128'],
] as const)('%s is %s', ([text, canonical]) => {
  expect(parsePrefix(text)?.text).toBe(canonical)
})

test.for(['10.0.0.0/33', '10.0.0/8', '::ffff:10.0.0.1', '::/129', 'fe80::1%eth0', '10.0.0.0/08', '10.0.0.0/', ''])(
  '%j is no block',
  (text) => expect(parsePrefix(text)).toBe(undefined),
)

test("containment is what Node's BlockList says", () => {
  const address = fc.oneof(
    fc.ipV4(),
    fc.ipV6().filter((text) => parsePrefix(text) !== undefined),
  )
  fc.assert(
    fc.property(address, address, fc.nat(128), (block, other, bits) => {
      fc.pre(isIPv4(block) === isIPv4(other))
      const length = isIPv4(block) ? bits % 33 : bits
      const list = new BlockList()
      list.addSubnet(block, length, isIPv4(block) ? 'ipv4' : 'ipv6')
      const [outer, inner] = [parsePrefix(`${block}/${length}`), parsePrefix(other)]
      if (!outer || !inner) throw new Error('not parsed')
      expect(contains(outer, inner)).toBe(list.check(other, isIPv4(other) ? 'ipv4' : 'ipv6'))
    }),
  )
})
