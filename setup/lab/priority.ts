/**
 * Niceness of everything in the lab, the load agent and all arms alike. The scheduler then gives a waking server its CPU before
 * the machine's other work: with a neighbour that takes a whole core, A/A intervals were about half as wide.
 */
const NICENESS = '-20'

/**
 * Where sched_autogroup is on, niceness only orders the tasks of one session; the session has a niceness of its own, in
 * /proc/PID/autogroup (sched(7), "The autogroup feature"). Both are set. A fixed text: the command comes as arguments.
 */
const WITH_AUTOGROUP = `{ echo ${NICENESS} > /proc/self/autogroup; } 2>/dev/null; exec nice -n ${NICENESS} "$@"`

/**
 * To be put before a command that has a session of its own. Where raising the priority is not allowed, the command runs
 * all the same: equal for all arms, with more of the machine's noise.
 */
export function atPriority(): readonly string[] {
  return ['sh', '-c', WITH_AUTOGROUP, 'sh']
}
