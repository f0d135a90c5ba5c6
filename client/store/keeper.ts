/** Which of several tabs keeps what it reads in the store that they share: one of them, until it is gone. The others keep it in memory. */
import { onAbort } from '../base/platform.js'
import { Scope } from '../base/scope.js'
import type { Lock } from './lock.js'

export class Keeper {
  readonly #lock: Lock
  #held: { readonly name: string; readonly scope: Scope } | null = null

  constructor(lock: Lock) {
    this.#lock = lock
  }

  /** Whether it is this tab, from now on until `release`, or until it is another name's. Never rejects. */
  claim(name: string): Promise<boolean> {
    if (this.#held?.name === name) return Promise.resolve(true)
    this.release()
    return new Promise((resolve) => {
      const act = async (lock: unknown): Promise<void> => {
        if (lock === null) return resolve(false)
        const scope = new Scope()
        this.#held = { name, scope }
        resolve(true)
        await new Promise<void>((over) => onAbort(scope.signal, over))
      }
      // A platform that refuses has no other tabs.
      this.#lock(`topictalk-kept:${name}`, { ifAvailable: true }, act).catch(() => resolve(true))
    })
  }

  release(): void {
    this.#held?.scope.end(null)
    this.#held = null
  }
}
