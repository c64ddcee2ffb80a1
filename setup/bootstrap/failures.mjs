/** What failed in a Vitest run, short enough to be read where a log is cut off. */
const FIRST_LINES = 20
const LAST_LINES = 6
const MOST_COLUMNS = 300

/**
 * The failed tests with the beginning and the end of what each said, from Vitest's JSON report; empty without one.
 * @param {unknown} report
 * @returns {string}
 */
export function describeFailures(report) {
  if (typeof report !== 'object' || report === null || !Array.isArray(report.testResults)) return ''
  return report.testResults
    .flatMap((file) => {
      const failed = (file.assertionResults ?? []).filter((test) => test.status === 'failed')
      const path = String(file.name ?? '')
        .split('/')
        .slice(-3)
        .join('/')
      // A file that could not be loaded has no tests, and its error stands in `message`.
      if (failed.length === 0 && file.status === 'failed') return [`× ${path}`, ...shorten(String(file.message ?? ''))]
      return failed.flatMap((test) => [
        `× ${path} › ${test.fullName}`,
        ...(test.failureMessages ?? []).flatMap((message) => shorten(String(message))),
      ])
    })
    .join('\n')
}

/** @param {string} message */
function shorten(message) {
  const lines = message.trimEnd().split('\n')
  const left = lines.length - FIRST_LINES - LAST_LINES
  const kept = left <= 1 ? lines : [...lines.slice(0, FIRST_LINES), `… ${left} lines …`, ...lines.slice(-LAST_LINES)]
  return kept.map((line) => `    ${line.slice(0, MOST_COLUMNS)}`)
}
