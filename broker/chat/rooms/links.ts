/** Invitation links: anyone who has a link may join its room, as long as the link is valid and has uses left. */
import { randomBytes } from 'node:crypto'
import { Refusal } from '../../../schemas/errors.js'
import { commit } from '../../store/commit.js'
import type { Op } from '../../store/op.js'
import type { LinkRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { KeyedMutex } from '../../util/keyed-mutex.js'
import type { Actor } from '../model/actor.js'
import type { RoomRules } from './room-rules.js'

/** Per room. */
const MAX_LINKS = 100

export interface LinksDeps {
  readonly store: Store
  readonly rules: RoomRules
  readonly locks: KeyedMutex
}

export class Links {
  readonly #store: Store
  readonly #rules: RoomRules
  readonly #locks: KeyedMutex

  constructor({ store, rules, locks }: LinksDeps) {
    this.#store = store
    this.#rules = rules
    this.#locks = locks
  }

  /** `seconds`: life of the link, `uses`: number of joins; undefined: unlimited. */
  create(actor: Actor, room: string, seconds?: number, uses?: number): Promise<LinkRecord> {
    return this.#locks.runExclusive(room, async () => {
      this.#rules.require(actor, room, 'invite')
      const ops = this.#deleteSpentOps(room)
      if (this.#store.directory.links.of(room).size - ops.length >= MAX_LINKS)
        throw new Refusal('conflict', `${room} has ${MAX_LINKS} links; revoke one first`)
      const at = Date.now()
      const record: LinkRecord = {
        room,
        link: randomBytes(16).toString('base64url'),
        by: actor.principal.user,
        at,
        expires: seconds === undefined ? null : at + seconds * 1000,
        uses: uses ?? null,
      }
      await commit(this.#store, { ops: [...ops, this.#store.directory.links.putOp(record)] })
      return record
    })
  }

  /** The valid links, oldest first. */
  list(actor: Actor, room: string): LinkRecord[] {
    this.#rules.require(actor, room, 'invite')
    return [...this.#store.directory.links.of(room).values()]
      .filter((link) => isValid(link))
      .sort((a, b) => a.at - b.at || (a.link < b.link ? -1 : 1))
  }

  revoke(actor: Actor, room: string, link: string): Promise<void> {
    return this.#locks.runExclusive(linkLock(room, link), async () => {
      this.#rules.require(actor, room, 'invite')
      const { links } = this.#store.directory
      if (!links.get(room, link)) throw new Refusal('not_found', 'there is no such link', { field: 'link' })
      await commit(this.#store, { ops: [links.deleteOp(room, link)] })
    })
  }

  #deleteSpentOps(room: string): Op[] {
    const { links } = this.#store.directory
    return [...links.of(room).values()].filter((link) => !isValid(link)).map(({ link }) => links.deleteOp(room, link))
  }
}

/** Key of the lock under which the uses of a link are counted. */
export const linkLock = (room: string, link: string): string => `${room} link ${link}`

export function isValid({ expires, uses }: LinkRecord, now = Date.now()): boolean {
  return (expires === null || now < expires) && uses !== 0
}
