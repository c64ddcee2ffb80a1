/**
 * Keeps the CPUs from sleeping for as long as this process lives: an idle CPU's way back adds to every request, and the more
 * the longer it slept, so that a server that takes longer looks dearer than it is. As cyclictest does it: 0 µs written
 * to /dev/cpu_dma_latency and the file kept open (Documentation/power/pm_qos_interface.rst); the kernel takes the
 * request back when the file is closed, however the process ends.
 */
import { openSync, writeSync } from 'node:fs'

const DEVICE = '/dev/cpu_dma_latency'

/** Undefined when it worked, else why it did not. */
export function keepAwake(): string | undefined {
  try {
    writeSync(openSync(DEVICE, 'r+'), Buffer.alloc(4))
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
