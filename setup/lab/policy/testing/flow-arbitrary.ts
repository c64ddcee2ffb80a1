import fc from 'fast-check'
import { isIPv4 } from 'node:net'
import type { Flow } from '../world.ts'
import type { Vocabulary } from './policy-arbitrary.ts'

/** Flows between the addresses of a vocabulary and their neighbours, to its ports and those beside them. */
export function flowOf(words: Vocabulary): fc.Arbitrary<Flow> {
  const family = fc.constantFrom(4, 4, 6)
  return family.chain((version) => {
    const own = words.addresses.filter((address) => isIPv4(address) === (version === 4))
    const address = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...own) },
      { weight: 1, arbitrary: version === 4 ? fc.ipV4() : fc.ipV6().filter((one) => !one.includes('.')) },
    )
    const port = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...words.ports) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.constantFrom(...words.ports), fc.integer({ min: -301, max: 301 }))
          .map(([one, away]) => Math.min(65535, Math.max(1, one + away))),
      },
    )
    return fc
      .record({
        source: address,
        destination: address,
        protocol: fc.constantFrom<Flow['protocol'][]>(6, 6, 6, 17, 132, version === 4 ? 1 : 58),
        port,
      })
      .filter(({ source, destination }) => source !== destination)
      .map((flow) => (flow.protocol === 1 || flow.protocol === 58 ? { ...flow, port: 0 } : flow))
  })
}
