/** Which of several tabs sends a message: the one that wrote it, for as long as it is there. */
import { onAbort } from '../base/platform.js'
import { Scope } from '../base/scope.js'
import type { Lock } from '../store/lock.js'

export class Owners {
  readonly #lock: Lock
  /** From `hold` until `close`. */
  #scope: Scope | null = null
  readonly #awaited = new Set<string>()

  constructor(lock: Lock) {
    this.#lock = lock
  }

  /** Shows the other tabs that `owner` is there, until `close`. Resolves when they see it. */
  hold(owner: string): Promise<void> {
    if (this.#scope) return Promise.resolve()
    const scope = new Scope()
    this.#scope = scope
    const over = new Promise<void>((resolve) => onAbort(scope.signal, resolve))
    return new Promise((held) => {
      const hold = (): Promise<void> => {
        held()
        return over
      }
      // A platform that refuses has no other tabs to show it to.
      this.#lock(nameOf(owner), { signal: scope.signal }, hold).catch(() => held())
    })
  }

  /**
   * Runs `adopt` when `owner` is gone, as the only one; not after `close`. Resolves when it has run, or the owner is still there. Never rejects.
   */
  async whenGone(owner: string, adopt: () => Promise<void>): Promise<void> {
    const scope = this.#scope
    if (!scope || this.#awaited.has(owner)) return
    this.#awaited.add(owner)
    let isThere = false
    const act = async (lock: unknown): Promise<void> => {
      isThere = lock === null
      if (lock !== null && !scope.signal.aborted) await adopt()
    }
    const done = (): boolean => this.#awaited.delete(owner)
    await this.#lock(nameOf(owner), { ifAvailable: true }, act).catch(() => {})
    if (isThere && !scope.signal.aborted) this.#lock(nameOf(owner), { signal: scope.signal }, act).then(done, done)
    else done()
  }

  close(): void {
    this.#scope?.end(null)
    this.#scope = null
    this.#awaited.clear()
  }
}

function nameOf(owner: string): string {
  return `topictalk-outbox:${owner}`
}
