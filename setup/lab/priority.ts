/**
 * Niceness of everything in the lab, the load agent and all arms alike. The scheduler then gives a waking server its CPU before
 * the machine's other work (sched(7), "The nice value"): with a neighbour that takes a whole core, the intervals of ten
 * A/A comparisons were about half as wide.
 */
export const NICENESS = -20

/** To be put before a command. Where raising the priority is not allowed, coreutils' nice says so and runs it all the same. */
export function atPriority(): readonly string[] {
  return ['nice', '-n', String(NICENESS)]
}
