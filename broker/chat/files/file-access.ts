/**
 * Who may read a file, now: who uploaded it, and who may read a message that refers to it. Nothing of it is kept: who leaves a room, or
 * whose message is deleted, has it no longer.
 */
import { Refusal } from '../../../schemas/errors.js'
import { isDirectRoom } from '../../../schemas/ids.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { FileRecord } from '../../store/files.js'
import type { Store } from '../../store/store.js'
import { type Actor, requireUser } from '../model/actor.js'
import { referring } from './file-references.js'

/** Rooms per read. */
const PAGE = 100

/** A file of which all bytes are there. */
export type FinishedFile = FileRecord & { readonly hash: string }

export class FileAccess {
  readonly #store: Pick<Store, 'log' | 'notes'>
  readonly #directory: DirectoryStore

  constructor(store: Pick<Store, 'log' | 'notes'>, directory: DirectoryStore) {
    this.#store = store
    this.#directory = directory
  }

  /** The same for a decision: what it reads of its directory is guarded. */
  with(directory: DirectoryStore): FileAccess {
    return new FileAccess(this.#store, directory)
  }

  /**
   * A finished file that the actor may read.
   * @throws Refusal `not_found`, whether there is none, it is not finished, or it is not for the actor
   */
  async require(actor: Actor, id: string, field = 'file'): Promise<FinishedFile> {
    const user = requireUser(actor)
    const record = await this.#directory.files.get(id)
    if (record && isFinished(record) && (await this.mayRead(user, record))) return record
    throw noFile(id, field)
  }

  async mayRead(user: string, record: FileRecord): Promise<boolean> {
    return (await this.isOwner(user, record)) || (await this.#mayReadMessage(user, record.id))
  }

  /** Who takes the name of a deleted account is not the owner of what is left of it. */
  async isOwner(user: string, record: FileRecord): Promise<boolean> {
    return record.user === user && (await this.#directory.removedAt(user)) <= record.createdAt
  }

  async #mayReadMessage(user: string, id: string): Promise<boolean> {
    for (let after = ''; ; ) {
      const rooms = await this.#directory.files.roomsOf(id, after, PAGE)
      for (const room of rooms) {
        const member = this.#directory.member(room, user)
        if (!member) continue
        // A user of a deleted and re-registered name does not see the past of a direct conversation.
        const hidden = isDirectRoom(room) ? member.joined.messages : 0
        if (await this.#isShown(room, id, hidden)) return true
      }
      if (rooms.length < PAGE) return false
      after = rooms.at(-1)!
    }
  }

  async #isShown(room: string, id: string, hidden: number): Promise<boolean> {
    for await (const { seq, present } of referring(this.#store, room, id)) {
      if (seq <= hidden) return false
      if (present) return true
    }
    return false
  }
}

export function isFinished(record: FileRecord): record is FinishedFile {
  return record.hash !== null
}

export function noFile(id: string, field = 'file'): Refusal {
  return new Refusal('not_found', `there is no file ${JSON.stringify(id)}`, { field })
}
