/** Counters by name: shown below `$SYS` and in the metrics, and read by tests on cost. */
export class Counters {
  readonly #totals = new Map<string, number>()

  add(name: string, by = 1): void {
    this.#totals.set(name, (this.#totals.get(name) ?? 0) + by)
  }

  get(name: string): number {
    return this.#totals.get(name) ?? 0
  }

  all(): Record<string, number> {
    return Object.fromEntries([...this.#totals].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}
