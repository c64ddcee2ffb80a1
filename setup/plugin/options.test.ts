import { expect, test } from 'vitest'
import { type MeshmarkOptions, resolveOptions } from './options.ts'

const all = ['baseline', 'istio']

test('every mesh there is, when none is named', () => {
  expect(resolveOptions({ seed: 's', gate: false }, all)).toEqual({
    meshes: ['baseline', 'istio'],
    projects: ['baseline', 'istio'],
    budgets: {},
    gate: false,
    seed: 's',
    outputDir: 'meshmark-results',
    lab: {},
  })
})

test('with two meshes there is a project that compares them with each other', () => {
  expect(resolveOptions({ meshes: { istio: {}, cilium: {} } }, all)).toMatchObject({
    meshes: ['baseline', 'istio', 'cilium'],
    projects: ['baseline', 'istio', 'cilium', 'versus'],
  })
})

test('budgets are read per mesh', () => {
  const options: MeshmarkOptions = {
    meshes: { istio: { budgets: { http: '900%', grpc: { relative: '5%', atLeast: '20us' } } } },
  }
  expect(resolveOptions(options, all).budgets).toEqual({
    istio: { http: { relative: 9 }, grpc: { relative: 0.05, atLeastUs: 20 } },
  })
})

test('says what it does not understand', () => {
  const message = (options: unknown): string => {
    try {
      resolveOptions(options as MeshmarkOptions, all)
      return 'accepted'
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
  expect(
    [
      { meshes: { linkrd: {} } },
      { meshes: { versus: {} } },
      { meshes: { istio: { budgets: { http: 'cheap' } } } },
      { mesh: {} },
      { gate: 'yes' },
    ].map(message),
  ).toMatchInlineSnapshot(`
    [
      "meshmark({ meshes }): unknown mesh "linkrd". This version of meshmark has baseline, cilium, istio.",
      "meshmark({ meshes }): "versus" is not in this version of meshmark's lab, which has baseline, cilium, istio.",
      "meshmark({ meshes: { istio: { budgets: { http } } } }): TypeError: 'cheap' is not a share: '3%' or a fraction from 0 to 1, as 0.03, is",
      "meshmark(): option mesh: Invalid key: Expected never but received "mesh"",
      "meshmark(): option gate: Invalid type: Expected boolean but received "yes"",
    ]
  `)
})
