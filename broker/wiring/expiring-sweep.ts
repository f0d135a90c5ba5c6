/** Removes records whose time is over, some at a time. */
import type { Store } from '../store/store.js'

/** Records looked at per change, and changes per sweep. */
const PER_CHANGE = 200
const CHANGES = 50

export class ExpiringSweep {
  readonly #store: Pick<Store, 'transact'>
  /** The last sweep got so far. */
  #after = ''

  constructor(store: Pick<Store, 'transact'>) {
    this.#store = store
  }

  /** Goes on where the sweep before ended, up to the last record at most. */
  async sweep(now: number): Promise<void> {
    for (let changes = 0; changes < CHANGES; changes++) {
      const { value } = await this.#store.transact('expiring', async ({ expiring }) => {
        const { ops, next } = await expiring.sweepOps(this.#after, PER_CHANGE, now)
        // What a crash keeps is swept again.
        return { ops, lazy: true, value: next }
      })
      this.#after = value ?? ''
      if (value === null) return
    }
  }
}
