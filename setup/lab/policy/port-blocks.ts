/** Ports whose first `bits` bits are those of `port`: 16 bits are one port, 0 bits all of them. */
export interface PortBlock {
  readonly port: number
  readonly bits: number
}

/** A range as the fewest aligned blocks, lowest first: at most 30. Both ends are included. */
export function portBlocks(first: number, last: number): PortBlock[] {
  const blocks: PortBlock[] = []
  let port = first
  while (port <= last) {
    let size = port === 0 ? 65536 : port & -port
    while (port + size - 1 > last) size /= 2
    blocks.push({ port, bits: 16 - Math.log2(size) })
    port += size
  }
  return blocks
}

/** What is left of all ports without these ranges, in order. */
export function otherPorts(ranges: readonly { first: number; last: number }[]): { first: number; last: number }[] {
  const left: { first: number; last: number }[] = []
  let next = 0
  for (const { first, last } of [...ranges].sort((a, b) => a.first - b.first)) {
    if (first > next) left.push({ first: next, last: first - 1 })
    next = Math.max(next, last + 1)
  }
  if (next <= 65535) left.push({ first: next, last: 65535 })
  return left
}
