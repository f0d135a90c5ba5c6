/** Persistent sessions: a record, and small keys beside it that change independently. */

import type { Subscriptions } from '../directory/subscriptions.js'
import { clear, del, type Op, put } from '../op.js'
import type { LastHeartbeat, Progress, SavedInflight, SavedSession, SessionRecord, SessionStore } from '../sessions.js'
import type { StoredSubscription } from '../subscription.js'
import { keyOf } from '../tables.js'
import type { Database } from './database.js'
import { keys, numberOf, ranges } from './keys.js'

/** Writes for sessions. */
export interface SessionWriter {
  writeLazily(ops: readonly Op[]): Promise<void>
}

export class LevelSessions implements SessionStore {
  readonly #database: Database
  readonly #subscriptions: Subscriptions
  readonly #writer: SessionWriter

  constructor(database: Database, subscriptions: Subscriptions, writer: SessionWriter) {
    this.#database = database
    this.#subscriptions = subscriptions
    this.#writer = writer
  }

  async load(id: string): Promise<SavedSession | null> {
    const record = await this.#database.get(keys.session(id))
    if (!record) return null
    const [subscriptions, place] = await Promise.all([this.#subscriptions.read(id), this.#place(id)])
    return { record: decode(record), subscriptions, ...place }
  }

  progress(id: string): Promise<Progress> {
    return this.#place(id)
  }

  async #place(id: string): Promise<Progress & Pick<SavedSession, 'incoming'>> {
    const cursors = new Map<string, number>()
    const incoming: number[] = []
    let inflight: SavedInflight[] = []
    for (const [key, value] of await this.#database.all(ranges.place(id))) {
      const { kind, name } = keys.placeOf(key)
      if (kind === 'c') cursors.set(name, Number(value.toString()))
      else if (kind === 'i') incoming.push(numberOf(key))
      else inflight = decode(value)
    }
    return { cursors, inflight, incoming }
  }

  filterBytesOfUser(user: string): number {
    return this.#subscriptions.bytesOfUser(user)
  }

  shared(): Iterable<StoredSubscription & { clientId: string }> {
    return this.#subscriptions.shared()
  }

  recordOp(record: SessionRecord): Op {
    return put('session', keyOf(record.id), JSON.stringify(record))
  }

  subscribeOps(id: string, subscriptions: readonly StoredSubscription[]): Op[] {
    return this.#subscriptions.addOps(id, subscriptions)
  }

  unsubscribeOps(id: string, topics: readonly string[]): Op[] {
    return this.#subscriptions.removeOps(id, topics)
  }

  cursorOp(id: string, cursor: string, seq: number): Op {
    return put('sessionState', keyOf(id, `c${cursor}`), String(seq))
  }

  dropCursorOp(id: string, cursor: string): Op {
    return del('sessionState', keyOf(id, `c${cursor}`))
  }

  /**
   * An empty list is written too, not deleted: LevelDB skips deleted keys one by one when it looks for the next live
   * key. If every session has a live key, reading one does not scan the deleted keys of its neighbours.
   */
  inflightOp(id: string, inflight: readonly SavedInflight[]): Op {
    return put('sessionState', keyOf(id, 'f'), JSON.stringify(inflight))
  }

  incomingOp(id: string, packetId: number): Op {
    return put('sessionState', incomingKey(id, packetId), '')
  }

  dropIncomingOp(id: string, packetId: number): Op {
    return del('sessionState', incomingKey(id, packetId))
  }

  writeLazily(ops: readonly Op[]): Promise<void> {
    return this.#writer.writeLazily(ops)
  }

  discardOps(id: string): Op[] {
    return [
      clear('sessionState', id),
      clear('subscription', id),
      { type: 'discardQueue', sessionId: id },
      del('session', keyOf(id)),
    ]
  }

  async ofUser(user: string): Promise<SessionRecord[]> {
    const records: SessionRecord[] = []
    for await (const [, value] of this.#database.entries(ranges.sessionsOf(user))) {
      const record: SessionRecord = decode(value)
      if (record.user === user) records.push(record)
    }
    return records
  }

  async lastHeartbeat(): Promise<LastHeartbeat | null> {
    const seen = await this.#database.get(keys.seen)
    return seen ? decode(seen) : null
  }

  heartbeatOp(seen: LastHeartbeat): Op {
    return put('heartbeat', '', JSON.stringify(seen))
  }

  async *all(): AsyncGenerator<SessionRecord> {
    for await (const [, value] of this.#database.entries(ranges.sessions)) yield decode(value)
  }
}

/** Where an inbound packet id is kept that awaits PUBREL. */
export function incomingKey(id: string, packetId: number): string {
  return keyOf(id, `i${keys.numbered(packetId)}`)
}

function decode<T>(value: Buffer): T {
  return JSON.parse(value.toString()) as T
}
