/** Persistent sessions: a record, and small keys beside it that change independently. */

import type { Change } from '../changes.js'
import type { Guards } from '../guards.js'
import { clear, del, type Op, put } from '../op.js'
import type {
  InflightChange,
  LastHeartbeat,
  Progress,
  SavedInflight,
  SavedSession,
  SessionRecord,
  SessionStore,
} from '../sessions.js'
import type { StorePort } from '../store.js'
import type { StoredSubscription } from '../subscription.js'
import { keyOf, numberOf, numberPart, partsOf, type Tables } from '../tables.js'
import { parse } from './memory-table.js'
import { readAll, readRecord } from './on-demand.js'

type Port = Pick<StorePort, 'tables' | 'commit'>

export class Sessions implements SessionStore {
  readonly #port: Port

  constructor(port: Port) {
    this.#port = port
  }

  async load(id: string): Promise<SavedSession | null> {
    const record = await this.record(id)
    if (!record) return null
    const [subscriptions, place] = await Promise.all([readSubscriptions(this.#port.tables, id), this.#place(id)])
    return { record, subscriptions, ...place }
  }

  record(id: string): Promise<SessionRecord | null> {
    return readRecord(this.#port.tables, 'session', keyOf(id))
  }

  async isKept(id: string): Promise<boolean> {
    return (await this.#port.tables.get('session', keyOf(id))) !== undefined
  }

  progress(id: string): Promise<Progress> {
    return this.#place(id)
  }

  subscriptionsOf(id: string): Promise<StoredSubscription[]> {
    return readSubscriptions(this.#port.tables, id)
  }

  /** The keys are neighbours, so that one read finds them all. */
  async #place(id: string): Promise<Progress & Pick<SavedSession, 'incoming'>> {
    const cursors = new Map<string, number>()
    const incoming: number[] = []
    const changes: InflightChange[][] = []
    let list: SavedInflight[] = []
    for (const [key, value] of await this.#port.tables.list('sessionState', { owner: id })) {
      const state = partsOf(key)[1]!
      if (state[0] === 'c') cursors.set(state.slice(1), Number(value.toString()))
      else if (state[0] === 'd') changes.push(parse(value))
      else if (state[0] === 'i') incoming.push(numberOf(state.slice(1)))
      else list = parse(value)
    }
    return { cursors, inflight: changed(list, changes), inflightChanges: changes.length, incoming }
  }

  recordOp(record: SessionRecord): Op {
    return put('session', keyOf(record.id), JSON.stringify(record))
  }

  subscribeOps(id: string, subscriptions: readonly StoredSubscription[]): Op[] {
    return subscribeOps(id, subscriptions)
  }

  unsubscribeOps(id: string, topics: readonly string[]): Op[] {
    return unsubscribeOps(id, topics)
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
  inflightOps(id: string, inflight: readonly SavedInflight[], changeRecords = 0): Op[] {
    const ops: Op[] = [put('sessionState', keyOf(id, 'f'), JSON.stringify(inflight))]
    for (let number = 0; number < changeRecords; number++) ops.push(del('sessionState', changesKey(id, number)))
    return ops
  }

  inflightChangesOp(id: string, number: number, changes: readonly InflightChange[]): Op {
    return put('sessionState', changesKey(id, number), JSON.stringify(changes))
  }

  incomingOp(id: string, packetId: number): Op {
    return put('sessionState', incomingKey(id, packetId), '')
  }

  dropIncomingOp(id: string, packetId: number): Op {
    return del('sessionState', incomingKey(id, packetId))
  }

  writeLazily(ops: readonly Op[], guards: Guards | null = null): Promise<void> {
    return new Promise((resolve, reject) => {
      const settled: Change['settled'] = (error) => (error ? reject(error) : resolve())
      this.#port.commit({ drafts: [], ops, guards, lazy: true, settled })
    })
  }

  discardOps(id: string): Op[] {
    return [
      clear('sessionState', id),
      clear('subscription', id),
      clear('packetState', id),
      { type: 'discardQueue', sessionId: id },
      del('session', keyOf(id)),
    ]
  }

  async ofUser(user: string): Promise<SessionRecord[]> {
    const records: SessionRecord[] = []
    for await (const [, value] of this.#port.tables.entries('session', { prefix: `${keyOf(user)}/` })) {
      const record: SessionRecord = parse(value)
      if (record.user === user) records.push(record)
    }
    return records
  }

  lastHeartbeat(): Promise<LastHeartbeat | null> {
    return readRecord(this.#port.tables, 'heartbeat', '')
  }

  heartbeatOp(seen: LastHeartbeat): Op {
    return put('heartbeat', '', JSON.stringify(seen))
  }

  all(): AsyncIterable<SessionRecord> {
    return readAll(this.#port.tables, 'session')
  }
}

export async function readSubscriptions(tables: Tables, id: string): Promise<StoredSubscription[]> {
  const found = await tables.list('subscription', { owner: id })
  return found.map(([key, value]) => ({ topic: partsOf(key)[1]!, ...parse<Omit<StoredSubscription, 'topic'>>(value) }))
}

export function subscribeOps(id: string, subscriptions: readonly StoredSubscription[]): Op[] {
  return subscriptions.map(({ topic, ...options }) => put('subscription', keyOf(id, topic), JSON.stringify(options)))
}

export function unsubscribeOps(id: string, topics: readonly string[]): Op[] {
  return topics.map((topic) => del('subscription', keyOf(id, topic)))
}

/** Before the list, which is all that earlier versions then take for it. */
function changesKey(id: string, number: number): string {
  return keyOf(id, `d${numberPart(number)}`)
}

/** A packet that changed keeps its place; one that began is the last. */
function changed(list: SavedInflight[], changes: readonly (readonly InflightChange[])[]): SavedInflight[] {
  if (changes.length === 0) return list
  const packets = new Map(list.map((packet) => [nameOf(packet), packet]))
  for (const change of changes.flat()) {
    if ('ended' in change) packets.delete(nameOf(change))
    else packets.set(nameOf(change), change)
  }
  return [...packets.values()]
}

function nameOf({ packetId, source, seq }: InflightChange): string | number {
  return packetId > 0 ? packetId : `${seq} ${source}`
}

/** Where an inbound packet id is kept that awaits PUBREL. */
export function incomingKey(id: string, packetId: number): string {
  return incomingPrefix(id) + numberPart(packetId)
}

/** With what these keys of a session begin. */
export function incomingPrefix(id: string): string {
  return keyOf(id, 'i')
}
