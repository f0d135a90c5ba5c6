/** Which of several tabs keeps what it reads in the store that they share: one of them, until it is gone; then another. The others keep it in memory. */
import { onAbort } from '../base/platform.js'
import { Scope } from '../base/scope.js'
import { alone, type Lock } from './lock.js'

interface Claim {
  readonly name: string
  readonly scope: Scope
  isKept: Promise<boolean>
}

export class Keeper {
  readonly #lock: Lock
  #claim: Claim | null = null

  /** `lock` null: no other client can have the same store. */
  constructor(lock: Lock | null) {
    this.#lock = lock ?? alone
  }

  /**
   * Whether it is this tab, until `release`, or until another name is claimed; `taken` is called if it becomes this one later. Never rejects.
   */
  claim(name: string, taken: () => void): Promise<boolean> {
    if (this.#claim?.name !== name) {
      this.release()
      this.#claim = this.#begin(name, taken)
    }
    return this.#claim.isKept
  }

  release(): void {
    this.#claim?.scope.end(null)
    this.#claim = null
  }

  #begin(name: string, taken: () => void): Claim {
    const scope = new Scope()
    const { signal } = scope
    const over = new Promise<void>((resolve) => onAbort(signal, resolve))
    const lock = `topictalk-kept:${name}`
    const later = (): Promise<void> => {
      claim.isKept = Promise.resolve(true)
      taken()
      return over
    }
    const isKept = new Promise<boolean>((resolve) => {
      const now = async (held: unknown): Promise<void> => {
        resolve(held !== null)
        if (held !== null) await over
        else this.#lock(lock, { signal }, later).catch(() => {})
      }
      // A platform that refuses has no other tabs.
      this.#lock(lock, { ifAvailable: true }, now).catch(() => resolve(true))
    })
    const claim: Claim = { name, scope, isKept }
    return claim
  }
}
