import { execa } from 'execa'
import { LabError } from '../../lab-error.ts'
import { namespacePath } from '../../namespaces.ts'
import { networkOf, nodeNamespace } from '../../network.ts'
import { markOfRun } from '../../program-environment.ts'
import type { RunState } from '../../run-state.ts'
import type { NetfilterWay } from './state.ts'

/**
 * Runs a program of netfilter's in the node of a way's network; gives its output.
 * @throws LabError with its last words, and what to install where it is missing
 */
export async function inNode(
  run: RunState,
  way: NetfilterWay,
  command: readonly string[],
  input = '',
): Promise<string> {
  const netns = namespacePath(nodeNamespace(run.runId, networkOf(way)))
  const result = await execa('nsenter', [`--net=${netns}`, '--', ...command], {
    input,
    env: markOfRun(run.runId),
    reject: false,
  })
  if (!result.failed) return result.stdout
  const found = (result.stderr || result.shortMessage || '').trim().slice(-600)
  throw new LabError(
    `The policy could not be put into the packet filter: ${command[0]}: ${found}`,
    /No such file/.test(found)
      ? `install it: apt-get install ${command[0]?.startsWith('nft') ? 'nftables' : 'iptables'}`
      : undefined,
  )
}
