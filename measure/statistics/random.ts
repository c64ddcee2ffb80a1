/** A seeded source of random numbers: the same seed gives the same sequence on every machine and in every release. */
export interface Random {
  /** Uniform in [0, 1), 53 random bits. */
  next(): number
  /**
   * Uniform whole number in [0, n).
   * @throws RangeError unless n is a whole number from 1 to 2^32.
   */
  int(n: number): number
  /** Shuffles in place (Fisher–Yates) and returns the same array. */
  shuffle<T extends NonNullable<unknown> | null>(array: T[]): T[]
  /** Standard normal deviate (Marsaglia's polar method). */
  normal(): number
  /** A generator of its own for a purpose; it depends on the seed and the label only, not on what was drawn before. */
  fork(label: string): Random
}

const MASK_64 = (1n << 64n) - 1n

/** FNV-1a, 64 bits, over the UTF-8 bytes (draft-eastlake-fnv). */
function fnv1a64(text: string): bigint {
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(text)) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & MASK_64
  return hash
}

/** SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): what xoshiro's authors fill its state with. */
function splitMix64(state: bigint): bigint {
  let z = state
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK_64
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK_64
  return z ^ (z >> 31n)
}

/**
 * xoshiro128** 1.1 (Blackman and Vigna, ACM TOMS 47(4), 2021; https://prng.di.unimi.it/xoshiro128starstar.c),
 * its state filled by SplitMix64 from the seed's FNV-1a hash.
 */
export function createRandom(seed: string): Random {
  const golden = 0x9e3779b97f4a7c15n
  const hash = fnv1a64(seed)
  const first = splitMix64((hash + golden) & MASK_64)
  const second = splitMix64((hash + 2n * golden) & MASK_64)
  let s0 = Number(first & 0xffffffffn) | 0
  let s1 = Number(first >> 32n) | 0
  let s2 = Number(second & 0xffffffffn) | 0
  let s3 = Number(second >> 32n) | 0
  let spare: number | undefined

  function uint32(): number {
    const times5 = Math.imul(s1, 5)
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0
    const shifted = s1 << 9
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = (s3 << 11) | (s3 >>> 21)
    return result
  }

  function next(): number {
    const high = uint32() >>> 5
    const low = uint32() >>> 6
    return (high * 67_108_864 + low) / 9_007_199_254_740_992
  }

  function int(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 4_294_967_296) throw new RangeError(`int(n): n is 1 to 2^32, not ${n}`)
    // Values past the last whole multiple of n would favour small results.
    const limit = 4_294_967_296 - (4_294_967_296 % n)
    let value = uint32()
    while (value >= limit) value = uint32()
    return value % n
  }

  function shuffle<T extends NonNullable<unknown> | null>(array: T[]): T[] {
    for (let last = array.length - 1; last > 0; last--) {
      const other = int(last + 1)
      const moved = array[last]
      const drawn = array[other]
      if (moved === undefined || drawn === undefined) throw new RangeError('A sparse array cannot be shuffled')
      array[last] = drawn
      array[other] = moved
    }
    return array
  }

  function normal(): number {
    if (spare !== undefined) {
      const value = spare
      spare = undefined
      return value
    }
    let x = 0
    let y = 0
    let square = 0
    do {
      x = 2 * next() - 1
      y = 2 * next() - 1
      square = x * x + y * y
    } while (square >= 1 || square === 0)
    const scale = Math.sqrt((-2 * Math.log(square)) / square)
    spare = y * scale
    return x * scale
  }

  return { next, int, shuffle, normal, fork: (label) => createRandom(`${seed}/${label}`) }
}
