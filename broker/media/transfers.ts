/** Uploads and downloads under way on this node: bounded in number, and one upload of a file at a time. */
import { Refusal } from '../../schemas/errors.js'
import { KeyCounts } from '../util/key-counts.js'

export interface TransferLimits {
  readonly transfers: number
  readonly transfersPerUser: number
}

export class Transfers {
  readonly #limits: TransferLimits
  readonly #accountOf: (user: string) => string
  readonly #byAccount = new KeyCounts()
  #count = 0

  constructor(limits: TransferLimits, accountOf: (user: string) => string) {
    this.#limits = limits
    this.#accountOf = accountOf
  }

  /** Returns what ends it, once. @throws Refusal */
  begin(user: string): () => void {
    const { transfers, transfersPerUser } = this.#limits
    const account = this.#accountOf(user)
    if (this.#count >= transfers)
      throw new Refusal('unavailable', 'too many uploads and downloads (media.transfers)', { retryAfter: 5 })
    if (this.#byAccount.get(account) >= transfersPerUser)
      throw new Refusal('rate_limited', 'too many uploads and downloads of yours (media.transfersPerUser)', {
        retryAfter: 5,
      })
    this.#count++
    this.#byAccount.add(account)
    let ended = false
    return () => {
      if (ended) return
      ended = true
      this.#count--
      this.#byAccount.remove(account)
    }
  }
}
