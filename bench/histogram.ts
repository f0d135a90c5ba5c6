/**
 * Durations in buckets whose width grows with what they hold, as HDR histograms have them: any value is known to within 1.6 %, from a
 * microsecond to hours, in a few kilobytes, and those of several processes add up.
 */
const STEPS = 64
const STEP_BITS = 6

/** Filled buckets only: index, count, index, count, … */
export type HistogramData = readonly number[]

export class Histogram {
  #counts: number[] = []
  #total = 0
  #max = 0

  /** Microseconds. */
  record(value: number): void {
    const us = value > 0 ? Math.round(value) : 0
    const index = bucketOf(us)
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#total++
    if (us > this.#max) this.#max = us
  }

  get total(): number {
    return this.#total
  }

  /** Microseconds below which `share` (0 to 1) of the values are; never more than the largest one; 0 of nothing. */
  quantile(share: number): number {
    let left = Math.ceil(share * this.#total)
    if (left === 0) return 0
    for (let index = 0; index < this.#counts.length; index++) {
      left -= this.#counts[index] ?? 0
      if (left <= 0) return Math.min(topOf(index), this.#max)
    }
    return this.#max
  }

  get max(): number {
    return this.#max
  }

  toData(): HistogramData {
    return [this.#max, ...this.#counts.flatMap((count, index) => (count ? [index, count] : []))]
  }

  add([max, ...pairs]: HistogramData): this {
    for (let i = 0; i < pairs.length; i += 2) {
      this.#counts[pairs[i]!] = (this.#counts[pairs[i]!] ?? 0) + pairs[i + 1]!
      this.#total += pairs[i + 1]!
    }
    this.#max = Math.max(this.#max, max ?? 0)
    return this
  }
}

function bucketOf(value: number): number {
  if (value < STEPS) return value
  const shift = Math.floor(Math.log2(value)) - STEP_BITS
  return STEPS * (shift + 1) + Math.floor(value / 2 ** shift) - STEPS
}

/** The largest value in a bucket. */
function topOf(index: number): number {
  if (index < STEPS) return index
  const shift = Math.floor(index / STEPS) - 1
  return (STEPS + (index % STEPS) + 1) * 2 ** shift - 1
}
