/** Tickets: secrets that are issued to a user, are good for a while, and are used once, on whatever node. */
import type { ExpiringRecords, ExpiringStore, TicketKind } from '../store/expiring.js'
import type { Store } from '../store/store.js'
import { type ForAccount, requireSameAccount } from './account-version.js'
import { hashSecret, newSecret } from './secrets.js'

export interface TicketLimits {
  /** Ms. */
  readonly lifetime: number
  /** Most that a user has; the oldest is void when there are more. */
  readonly perUser: number
}

/** What a ticket stands for. */
type Of<Kind extends TicketKind> = Omit<ExpiringRecords[Kind], 'until'>

export class Tickets<Kind extends TicketKind> {
  readonly #store: Pick<Store, 'transact'>
  readonly #kind: Kind
  readonly #limits: TicketLimits
  readonly #now: () => number

  constructor(store: Pick<Store, 'transact'>, kind: Kind, limits: TicketLimits, now: () => number = Date.now) {
    this.#store = store
    this.#kind = kind
    this.#limits = limits
    this.#now = now
  }

  /** `until`: Unix ms. @throws Refusal `unauthorized` if there is no such account any more */
  async issue(of: Of<Kind> & ForAccount): Promise<{ ticket: string; until: number }> {
    const { lifetime, perUser } = this.#limits
    const kind = this.#kind
    const listKind = `${kind}sOf` as const
    const ticket = newSecret()
    const hash = hashSecret(ticket)
    const until = this.#now() + lifetime
    await this.#store.transact(`${listKind} ${of.user}`, async ({ directory, expiring }) => {
      await requireSameAccount(directory, of)
      const before = (await expiring.get(listKind, of.user, this.#now()))?.hashes ?? []
      const dropped = Math.max(0, before.length + 1 - perUser)
      const ops = [
        ...before.slice(0, dropped).map((old) => expiring.deleteOp(kind, old)),
        expiring.putOp(kind, hash, { ...of, until } as ExpiringRecords[Kind]),
        expiring.putOp(listKind, of.user, { hashes: [...before.slice(dropped), hash], until }),
      ]
      // One that a crash forgets can be asked for again.
      return { ops, lazy: true, value: null }
    })
    return { ticket, until }
  }

  /** What a ticket stands for, without using it. Tickets are looked up in the order of the calls. Null: it is not good. */
  async find(ticket: string): Promise<ExpiringRecords[Kind] | null> {
    const { value } = await this.#store.transact(this.#kind, async ({ expiring }) => ({
      value: await this.#get(expiring, hashSecret(ticket)),
    }))
    return value
  }

  /** Uses a ticket. Null: it is not good, or was used already. */
  async take(ticket: string): Promise<ExpiringRecords[Kind] | null> {
    const hash = hashSecret(ticket)
    const { value } = await this.#store.transact(`${this.#kind} ${hash}`, async ({ expiring }) => {
      const found = await this.#get(expiring, hash)
      return { ops: found ? [expiring.deleteOp(this.#kind, hash)] : [], value: found }
    })
    return value
  }

  #get(expiring: ExpiringStore, hash: string): Promise<ExpiringRecords[Kind] | null> {
    return expiring.get(this.#kind, hash, this.#now())
  }
}
