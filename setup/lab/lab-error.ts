/** An error that a user of the lab can meet: its message says what was tried, what was found and what to do next. */
export class LabError extends Error {
  override readonly name = 'LabError'
  /** The first part of the message, what was tried and found. */
  readonly found: string
  /** The second part, what to do next; undefined where `found` says it all. */
  readonly fix: string | undefined

  constructor(found: string, fix?: string) {
    super(fix === undefined ? found : `${found}: ${fix}`)
    this.found = found
    this.fix = fix
  }
}
