/** Invitation links: anyone who has a link may join its room, as long as the link is valid and has uses left. */
import { randomBytes } from 'node:crypto'
import { Refusal } from '../../../schemas/errors.js'
import type { Op } from '../../store/op.js'
import type { LinkRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { Decision, Transaction } from '../../store/transaction.js'
import { type Actor, requireAccount } from '../model/actor.js'
import type { RoomRules } from './room-rules.js'

/** Per room. */
const MAX_LINKS = 100

export class Links {
  readonly #store: Store
  readonly #rules: RoomRules

  constructor(store: Store, rules: RoomRules) {
    this.#store = store
    this.#rules = rules
  }

  /** `seconds`: life of the link, `uses`: number of joins; undefined: unlimited. */
  async create(actor: Actor, room: string, seconds?: number, uses?: number): Promise<LinkRecord> {
    return (await this.#store.transact(room, (tx) => this.#create(tx, actor, room, seconds, uses))).value
  }

  async #create(
    tx: Transaction,
    actor: Actor,
    room: string,
    seconds?: number,
    uses?: number,
  ): Promise<Decision<LinkRecord>> {
    const { directory } = tx
    this.#rules.with(directory).require(actor, room, 'invite')
    await requireAccount(directory, actor.principal)
    const ops = this.#spaceOps(tx, room)
    const at = Date.now()
    const expires = seconds === undefined ? null : at + seconds * 1000
    const link = randomBytes(16).toString('base64url')
    const record: LinkRecord = { room, link, by: actor.principal.user, at, expires, uses: uses ?? null }
    return { ops: [...ops, directory.links.putOp(record)], value: record }
  }

  /** Writes that delete spent links. They are not guarded, since a spent link is never valid again. @throws Refusal `conflict`. */
  #spaceOps(tx: Transaction, room: string): Op[] {
    const links = this.#store.directory.links.of(room)
    const spent = [...links.values()].filter((link) => !isValid(link))
    if (links.size - spent.length >= MAX_LINKS)
      throw new Refusal('conflict', `${room} has ${MAX_LINKS} links; revoke one first`)
    if (links.size < MAX_LINKS) tx.limit({ table: 'link', owner: room, most: MAX_LINKS })
    else tx.directory.links.of(room)
    return spent.map(({ link }) => tx.directory.links.deleteOp(room, link))
  }

  /** The valid links, oldest first. */
  list(actor: Actor, room: string): LinkRecord[] {
    this.#rules.require(actor, room, 'invite')
    return [...this.#store.directory.links.of(room).values()]
      .filter((link) => isValid(link))
      .sort((a, b) => a.at - b.at || (a.link < b.link ? -1 : 1))
  }

  async revoke(actor: Actor, room: string, link: string): Promise<void> {
    await this.#store.transact(room, ({ directory }) => {
      this.#rules.with(directory).require(actor, room, 'invite')
      if (!directory.links.get(room, link)) throw new Refusal('not_found', 'there is no such link', { field: 'link' })
      return { ops: [directory.links.deleteOp(room, link)], value: undefined }
    })
  }
}

export function isValid({ expires, uses }: LinkRecord, now = Date.now()): boolean {
  return (expires === null || now < expires) && uses !== 0
}
