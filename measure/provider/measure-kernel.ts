/** Blocks of their own for what the kernel spends on the arms. */
import type { KernelUse } from '../record.ts'
import type { Target } from '../target.ts'
import type { AgentClient } from './agent-client.ts'
import { KERNEL_BLOCKS, KERNEL_WINDOW_MS, type KernelWindow, kernelUse, readKernel } from './kernel-use.ts'
import { type NamedArm, targetOf } from './parity.ts'

/** After everything that decides: the statistics that this needs cost time in the arms that have programs, and in those only. */
export async function measureKernel(
  agent: AgentClient,
  arms: readonly NamedArm[],
  firstBlock: number,
  rota: (index: number) => readonly number[],
): Promise<ReadonlyMap<string, KernelUse>> {
  const meters = new Map(arms.map((arm) => [arm.name, targetOf(arm).kernel]))
  const [some] = [...meters.values()].flatMap((meter) => meter ?? [])
  if (some === undefined) return new Map()
  const cpus = [...new Set(arms.flatMap((arm) => cpusOf(targetOf(arm))))]
  const windows = new Map<string, KernelWindow[]>()
  await some.on()
  try {
    for (let block = 0; block < KERNEL_BLOCKS; block++) {
      const index = firstBlock + block
      const seen = await agent.kernelBlock(index, rota(index), KERNEL_WINDOW_MS, (arm) =>
        readKernel(meters.get(arm), cpus),
      )
      for (const [arm, list] of seen) windows.set(arm, [...(windows.get(arm) ?? []), ...list])
    }
  } finally {
    await some.off()
  }
  return new Map(
    [...windows].flatMap(([arm, list]) => {
      const use = kernelUse(list)
      return use === null ? [] : [[arm, use] as const]
    }),
  )
}

/** CPUs of both sides, from the traits that parity compares. */
function cpusOf({ traits }: Target): number[] {
  return ['client cpus', 'server cpus'].flatMap((trait) =>
    String(traits[trait] ?? '')
      .split(',')
      .flatMap((part) => {
        const [first = Number.NaN, last = first] = part.split('-').map(Number)
        return Number.isInteger(first) ? Array.from({ length: last - first + 1 }, (_, offset) => first + offset) : []
      }),
  )
}
