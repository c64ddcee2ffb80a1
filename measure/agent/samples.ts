/** A growing list of µs that never allocates while a block is measured until it is really long. */
export class Samples {
  #values: Float32Array
  #length = 0

  constructor(capacity = 65_536) {
    this.#values = new Float32Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const longer = new Float32Array(this.#values.length * 2)
      longer.set(this.#values)
      this.#values = longer
    }
    this.#values[this.#length++] = value
  }

  /** Takes back the last one: a round in which one arm failed counts for none. */
  truncate(length: number): void {
    this.#length = Math.min(this.#length, length)
  }

  clear(): void {
    this.#length = 0
  }

  view(): Float32Array {
    return this.#values.subarray(0, this.#length)
  }

  quantile(q: number): number | null {
    if (this.#length === 0) return null
    const sorted = this.view().slice().sort()
    return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? null
  }
}
