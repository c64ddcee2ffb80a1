import * as v from 'valibot'
import type { KernelMeter } from '../../../measure/target.ts'
import { datapathClient } from './loader.ts'

const programsSchema = v.object({
  programs: v.array(v.object({ name: v.string(), run_time_ns: v.number(), run_cnt: v.number() })),
})

/** The data path's programs by the kernel's own statistics (BPF_ENABLE_STATS, bpf(2)): it ends with the loader, at the latest. */
export function kernelMeter(run: { readonly dir: string }): KernelMeter {
  const stats = async (on: boolean): Promise<void> => {
    await (await datapathClient(run)).request('stats', { on })
  }
  return {
    on: () => stats(true),
    off: () => stats(false),
    async read() {
      const answer = await (await datapathClient(run)).request('programs', {})
      return v
        .parse(programsSchema, answer)
        .programs.map(({ name, run_time_ns: runNs, run_cnt: runs }) => ({ program: name, runNs, runs }))
    },
  }
}
