import { isIPv4, isIPv6 } from 'node:net'

/** A block of addresses; a single address is one of full length. */
export interface Prefix {
  /** Canonical, host bits cleared: `10.0.0.0/8`, `fd00::1/128`. */
  readonly text: string
  readonly family: 4 | 6
  /** First and last address as a number. */
  readonly first: bigint
  readonly last: bigint
  readonly length: number
}

/**
 * Reads `10.0.0.0/8`, or a single address. Host bits are cleared, as Cilium does.
 * @returns undefined when it is neither, or an IPv4 address in IPv6 clothes (::ffff:…), which no packet carries.
 */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/')
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash))
  if (!address) return undefined
  const bits = address.family === 4 ? 32 : 128
  if (slash < 0) return prefixOf(address.family, address.value, bits)
  const length = text.slice(slash + 1)
  if (!/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > bits) return undefined
  return prefixOf(address.family, address.value, Number(length))
}

/** The block of that length that `value` is in. */
export function prefixOf(family: 4 | 6, value: bigint, length: number): Prefix {
  const bits = family === 4 ? 32 : 128
  if (length === bits) {
    return { text: `${formatAddress(family, value)}/${length}`, family, first: value, last: value, length }
  }
  const free = BigInt(bits - length)
  const first = (value >> free) << free
  return {
    text: `${formatAddress(family, first)}/${length}`,
    family,
    first,
    last: first | ((1n << free) - 1n),
    length,
  }
}

/** Whether every address of `inner` is in `outer`. */
export function contains(outer: Prefix, inner: Prefix): boolean {
  return (
    outer.family === inner.family &&
    outer.length <= inner.length &&
    outer.first <= inner.first &&
    inner.last <= outer.last
  )
}

/** By family, first address and length: a block comes just before everything that is in it. */
export function comparePrefixes(a: Prefix, b: Prefix): number {
  if (a.family !== b.family) return a.family - b.family
  if (a.first !== b.first) return a.first < b.first ? -1 : 1
  return a.length - b.length
}

/** An address as text, IPv6 in its shortest form (RFC 5952). */
export function formatAddress(family: 4 | 6, value: bigint): string {
  if (family === 4) {
    const number = Number(value)
    return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.')
  }
  const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - 16 * index)) & 0xffffn)
  return new URL(`http://[${groups.map((group) => group.toString(16)).join(':')}]`).hostname.slice(1, -1)
}

export function parseAddress(text: string): { family: 4 | 6; value: bigint } | undefined {
  if (isIPv4(text)) {
    return { family: 4, value: BigInt(text.split('.').reduce((value, part) => value * 256 + Number(part), 0)) }
  }
  if (!isIPv6(text) || text.includes('%')) return undefined
  // The URL parser knows every form of an IPv6 address and gives the shortest, with no IPv4 part.
  const [head = '', tail] = new URL(`http://[${text}]`).hostname.slice(1, -1).split('::')
  const groupsOf = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')]
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  const value = [...before, ...zeros, ...after].reduce((total, group) => (total << 16n) | BigInt(`0x${group}`), 0n)
  return value >> 32n === 0xffffn ? undefined : { family: 6, value }
}
