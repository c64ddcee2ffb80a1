/** Vitest's experimental provider types, named in one place. */
import type { BenchResult as VitestBenchResult, BenchmarkGroup as VitestBenchmarkGroup } from 'vitest'

export type BenchmarkGroup = VitestBenchmarkGroup
export type BenchResult = VitestBenchResult
export type Statistics = BenchResult['latency']
