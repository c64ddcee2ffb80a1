import { expect, test } from 'vitest'
import { widenProjectFilter } from './project-filter.ts'

const projects = ['baseline', 'istio']

test("a project's own name means its benchmarks", () => {
  expect(widenProjectFilter(['istio', '!baseline', 'i*', 'istio (bench)'], projects, [])).toEqual([
    'istio (bench)',
    '!baseline (bench)',
    'i*',
    'istio (bench)',
  ])
})

test('an unknown name is refused with those that there are', () => {
  expect(() => widenProjectFilter(['isto'], projects, [])).toThrowErrorMatchingInlineSnapshot(
    `[Error: --project isto: there is no such project. This configuration has baseline, istio.]`,
  )
  expect(() => widenProjectFilter(['cilium'], projects, [])).toThrowErrorMatchingInlineSnapshot(
    `[Error: --project cilium: there is no such project. This configuration has baseline, istio. It is named in meshmark({ meshes }) where that names any, and the lab's cilium needs its loader: \`npx meshmark doctor\` says what is missing.]`,
  )
})

test('names of projects that are not ours are left to Vitest', () => {
  expect(widenProjectFilter(['mine'], projects, 'unknown')).toEqual(['mine (bench)'])
})
