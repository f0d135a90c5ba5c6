/**
 * Who may read a file, now: who uploaded it, and who may read a message that refers to it. Nothing of it is kept: who leaves a room, or
 * whose message is deleted, has it no longer.
 */
import { Refusal } from '../../../schemas/errors.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { FileRecord } from '../../store/files.js'
import type { Store } from '../../store/store.js'
import { type Actor, requireUser } from '../model/actor.js'
import { hiddenFrom } from '../model/views.js'
import { referring, roomsOf } from './file-references.js'

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
   * @throws Refusal `not_found`, whether there is none, it is not finished, or it is not for the actor; for the others as `requireServed`
   */
  async require(actor: Actor, id: string, field = 'file'): Promise<FinishedFile> {
    const record = await this.requireKnown(actor, id, field)
    if (!isFinished(record)) throw noFile(id, field)
    requireServed(record, field)
    return record
  }

  /** The same for one of several. Null: it is not for the actor, or not served. */
  find(actor: Actor, id: string): Promise<FinishedFile | null> {
    return this.require(actor, id).catch((error: unknown) => {
      if (error instanceof Refusal) return null
      throw error
    })
  }

  /** The same, or an unfinished one of the actor. @throws Refusal `not_found` */
  async requireKnown(actor: Actor, id: string, field = 'file'): Promise<FileRecord> {
    const user = requireUser(actor)
    const record = await this.#directory.files.get(id)
    if (record && ((await this.isOwner(user, record)) || (await this.#mayReadMessage(user, id)))) return record
    throw noFile(id, field)
  }

  /** Who takes the name of a deleted account is not the owner of what is left of it. */
  async isOwner(user: string, record: FileRecord): Promise<boolean> {
    return record.user === user && (await this.#directory.removedAt(user)) <= record.createdAt
  }

  /** Those that are there, and whose owner the user is. */
  async ownedBy(user: string, records: readonly (FileRecord | null)[]): Promise<FileRecord[]> {
    const removedAt = await this.#directory.removedAt(user)
    return records.filter((record) => record?.user === user && removedAt <= record.createdAt) as FileRecord[]
  }

  async #mayReadMessage(user: string, id: string): Promise<boolean> {
    for await (const room of roomsOf(this.#directory, id)) {
      const member = this.#directory.member(room, user)
      if (member && (await this.#isShown(room, id, hiddenFrom(member)))) return true
    }
    return false
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

/** Seconds after which a file is asked for again that is not scanned yet. */
const SCAN_WAIT = 60

/** @throws Refusal `unavailable` if it is not scanned yet, `forbidden` if it is blocked */
export function requireServed({ scan, blockedFor }: FileRecord, field?: string): void {
  if (scan === 'pending')
    throw new Refusal('unavailable', 'the file has not been scanned yet', { field, retryAfter: SCAN_WAIT, final: true })
  if (scan === 'blocked')
    throw new Refusal('forbidden', `the file is blocked${blockedFor === undefined ? '' : `: ${blockedFor}`}`, { field })
}

export function noFile(id: string, field = 'file'): Refusal {
  return new Refusal('not_found', `there is no file ${JSON.stringify(id)}`, { field })
}
