import { expect, test } from 'vitest'
import { allowedCpus, parseCpuList, resolveCpuSets } from './cpu-sets.ts'

test('each side has a CPU of its own by default', () => {
  const { client, server } = resolveCpuSets(undefined)
  expect(client).not.toBe(server)
  expect(allowedCpus()).toEqual(expect.arrayContaining([Number(client), Number(server)]))
})

test('CPUs that the topology does not know are taken as cores of their own', () => {
  expect(resolveCpuSets(undefined, [4000, 4003, 4007])).toEqual({ client: '4000', server: '4003' })
})

test.for([
  {
    allowed: [0],
    wanted: undefined,
    message: "The lab needs 2 CPUs, one for the client's side and one for the server's; this process may use 1.",
  },
  { allowed: [0, 1], wanted: { client: '0', server: '0-1' }, message: 'cpus.client "0" and cpus.server "0-1" overlap' },
  {
    allowed: [0, 1],
    wanted: { client: '0', server: '5' },
    message: 'cpus.server names CPU 5, which this process may not use: it has 0, 1.',
  },
  { allowed: [0, 1], wanted: { client: 'all', server: '1' }, message: 'cpus.client is "all", which is no CPU list' },
])('refuses $wanted of $allowed', ({ allowed, wanted, message }) => {
  expect(() => resolveCpuSets(wanted, allowed)).toThrow(message)
})

test('wider sets are taken as given', () => {
  expect(resolveCpuSets({ client: '0', server: '2-3' }, [0, 1, 2, 3])).toEqual({ client: '0', server: '2-3' })
})

test.for([
  ['0', [0]],
  ['0-2,5', [0, 1, 2, 5]],
  ['2-0', undefined],
  ['', undefined],
  ['1,', undefined],
] as const)('CPU list %s', ([list, cpus]) => {
  expect(parseCpuList(list)).toEqual(cpus)
})
