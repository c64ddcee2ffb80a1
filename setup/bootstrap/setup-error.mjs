/** What the person at the terminal must act on: printed without a stack. */
export class SetupError extends Error {}
