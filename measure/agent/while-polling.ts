/**
 * Runs `work` while the event loop never sleeps: `setImmediate` makes every wait for events return at once
 * (nodejs.org/learn/asynchronous-work/event-loop-timers-and-nexttick). For an agent that has its CPU to itself. One that
 * sleeps lends its CPU to the machine's other work for as long as it waits for an answer, and finds its caches the colder the
 * longer that was: beside a neighbour, 7.5 µs more in a server then looked like 8 (docs/accuracy.md).
 */
export async function whilePolling(work: () => Promise<void>): Promise<void> {
  let working = true
  const poll = (): void => {
    if (working) setImmediate(poll)
  }
  poll()
  try {
    await work()
  } finally {
    working = false
  }
}
