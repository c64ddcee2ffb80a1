import { runCgroup } from './cgroup.ts'

/**
 * Niceness of everything in the lab, the load agent and all arms alike. The scheduler then gives a waking server its CPU before
 * the machine's other work: with a neighbour that takes a whole core, A/A intervals were about half as wide.
 */
const NICENESS = '-20'

/**
 * Where sched_autogroup is on, niceness only orders the tasks of one session; the session has a niceness of its own, in
 * /proc/PID/autogroup (sched(7), "The autogroup feature"). Both are set. The first argument is the run's cgroup: where the
 * run has one, the program enters it before anything of it runs. A fixed text: the command comes as arguments.
 */
const PREPARED = `{ echo ${NICENESS} > /proc/self/autogroup; } 2>/dev/null
[ ! -d "$1" ] || echo 0 > "$1/cgroup.procs" || exit 126
shift
exec nice -n ${NICENESS} "$@"`

/**
 * To be put before a command of a run that has a session of its own. Where raising the priority is not allowed, the command runs
 * all the same: equal for all arms, with more of the machine's noise.
 */
export function prepared(runId: string): readonly string[] {
  return ['sh', '-c', PREPARED, 'sh', runCgroup(runId) ?? '']
}
