import type { Block } from './filter-chains.ts'

/** Both ends included. */
export interface Range {
  readonly first: bigint
  readonly last: bigint
}

export interface Ports {
  readonly first: number
  readonly last: number
}

/** A block without its exceptions, in order. */
export function rangesOf({ within, except }: Block): Range[] {
  const ranges: Range[] = []
  let next = within.first
  for (const hole of [...except].sort((a, b) => (a.first < b.first ? -1 : 1))) {
    if (hole.first > next) ranges.push({ first: next, last: hole.first - 1n })
    if (hole.last >= next) next = hole.last + 1n
  }
  if (next <= within.last) ranges.push({ first: next, last: within.last })
  return ranges
}

/** The same addresses in ranges that neither overlap nor touch, in order. */
export function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: { first: bigint; last: bigint }[] = []
  for (const { first, last } of [...ranges].sort((a, b) => (a.first < b.first ? -1 : 1))) {
    const top = merged.at(-1)
    if (top && first <= top.last + 1n) top.last = last > top.last ? last : top.last
    else merged.push({ first, last })
  }
  return merged
}

/** The same ports in ranges that neither overlap nor touch, in order. */
export function mergePorts(ports: readonly Ports[]): Ports[] {
  const merged: { first: number; last: number }[] = []
  for (const { first, last } of [...ports].sort((a, b) => a.first - b.first)) {
    const top = merged.at(-1)
    if (top && first <= top.last + 1) top.last = Math.max(top.last, last)
    else merged.push({ first, last })
  }
  return merged
}

/** Rectangles of addresses and ports as ones that don't overlap, which a set of concatenated intervals must not. */
export function disjoint(
  rectangles: readonly { readonly range: Range; readonly ports: Ports }[],
): { range: Range; ports: Ports }[] {
  const edges = [...new Set(rectangles.flatMap(({ range }) => [range.first, range.last + 1n]))].sort((a, b) =>
    a < b ? -1 : 1,
  )
  const position = new Map(edges.map((edge, index) => [edge, index]))
  const columns: Ports[][] = edges.map(() => [])
  for (const { range, ports } of rectangles) {
    const end = position.get(range.last + 1n) ?? 0
    for (let index = position.get(range.first) ?? end; index < end; index++) columns[index]?.push(ports)
  }
  return edges.flatMap((first, index) => {
    const next = edges[index + 1]
    const column = columns[index] ?? []
    if (next === undefined) return []
    return mergePorts(column).map((ports) => ({ range: { first, last: next - 1n }, ports }))
  })
}
