import { setTimeout as sleep } from 'node:timers/promises'
import { assertRunning } from '../daemon.ts'
import type { Daemon } from '../daemon.ts'
import { LabError } from '../lab-error.ts'
import { lastLines } from '../log-tail.ts'
import { askAdmin } from './admin.ts'

const READY_TIMEOUT_MS = 10_000
const POLL_MS = 5

/** @throws LabError with the last lines of its log when the proxy ends or is not ready within 10 s */
export async function untilServing(daemon: Daemon, adminSocket: string, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS
  for (;;) {
    signal?.throwIfAborted()
    const answer = await askAdmin(adminSocket, '/ready')
    if (answer?.status === 200) return
    await assertRunning(daemon)
    if (performance.now() > deadline) {
      throw new LabError(
        `${daemon.name} was not ready after ${READY_TIMEOUT_MS / 1000} s (${answer?.body.trim() ?? 'no answer'}); its last lines: ${lastLines(daemon.log)}`,
      )
    }
    await sleep(POLL_MS)
  }
}
