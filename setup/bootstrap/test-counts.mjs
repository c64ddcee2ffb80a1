/** Counting what the checks of `npm test` came to. */

/**
 * @typedef {{ passed: number, failed: number, skipped: number }} Counts
 */

/**
 * What a Vitest run came to, from its JSON report. Never better than its exit code: a file that could not be loaded, an
 * error outside of any test, a run without tests or without a report count as a failure each.
 * @param {unknown} report undefined when there is none
 * @param {number} exitCode
 * @returns {Counts}
 */
export function countVitest(report, exitCode) {
  if (typeof report !== 'object' || report === null || !Array.isArray(report.testResults)) {
    return { passed: 0, failed: 1, skipped: 0 }
  }
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const file of report.testResults) {
    const states = (file.assertionResults ?? []).map((test) => test.status)
    counts.passed += states.filter((state) => state === 'passed').length
    counts.skipped += states.filter((state) => ['skipped', 'pending', 'todo', 'disabled'].includes(state)).length
    const failed = states.filter((state) => state === 'failed').length
    counts.failed += failed === 0 && file.status === 'failed' ? 1 : failed
  }
  const isBad = exitCode !== 0 || counts.passed + counts.failed + counts.skipped === 0
  return isBad && counts.failed === 0 ? { ...counts, failed: 1 } : counts
}

/**
 * What `cargo test` came to, from its lines `test result: ok. 3 passed; 0 failed; 1 ignored; …`, one for each binary. Never better than its exit code.
 * @param {string} output
 * @param {number} exitCode
 * @returns {Counts}
 */
export function countCargo(output, exitCode) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const [, passed, failed, ignored] of output.matchAll(
    /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm,
  )) {
    counts.passed += Number(passed)
    counts.failed += Number(failed)
    counts.skipped += Number(ignored)
  }
  const isBad = exitCode !== 0 || counts.passed + counts.failed === 0
  return isBad && counts.failed === 0 ? { ...counts, failed: 1 } : counts
}

/**
 * @param {Counts[]} all
 * @returns {Counts}
 */
export function addCounts(all) {
  const sum = (key) => all.reduce((total, counts) => total + counts[key], 0)
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') }
}

/** @param {Counts} counts */
export const renderCounts = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`
