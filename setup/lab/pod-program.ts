import { execa } from 'execa'
import type { PodProcess } from '../../measure/target.ts'
import type { Pod } from './pod.ts'
import { prepared } from './priority.ts'
import { markOf, programEnvironment, resolveProgram } from './program-environment.ts'

export interface PodProgramOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Runs a program in a pod's network with its streams piped, pinned to `cpus`. It dies with the thread that started it
 * (PR_SET_PDEATHSIG, prctl(2)), whatever ends that one, and on kill().
 */
export function runInPod(
  pod: Pod,
  cpus: string,
  command: readonly string[],
  options: PodProgramOptions = {},
): PodProcess {
  const subprocess = execa(
    'setpriv',
    // First in the chain, and kept through the others: until it has run, a killed parent leaves the program to the tear-down.
    [
      '--pdeathsig',
      'KILL',
      '--',
      'nsenter',
      `--net=${pod.netns}`,
      '--',
      // Its own session: priority is the session's, and it must not be that of whoever started us.
      'setsid',
      ...prepared(pod.runId),
      'taskset',
      '-c',
      cpus,
      ...resolveProgram(command),
    ],
    {
      env: { ...programEnvironment(options.env), ...markOf(pod) },
      extendEnv: false,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'pipe',
      // The streams are the caller's: without this execa would keep all of their output.
      buffer: false,
      reject: false,
    },
  )
  const program = command[0] ?? ''
  return {
    pid: subprocess.pid ?? -1,
    stdin: subprocess.stdin,
    stdout: subprocess.stdout,
    stderr: subprocess.stderr,
    ended: subprocess.then((result) => {
      if (result.signal) return `${program} was ended by ${result.signal}`
      return `${program} ended with exit code ${result.exitCode ?? 'unknown'}`
    }),
    kill() {
      subprocess.kill('SIGKILL')
    },
  }
}
