/** Messages on their way: kept until the broker has them, and sent once, in the order of their room. */
import { directMembers, directRoom, isRoomId, isUserId } from '../../schemas/ids.js'
import { ChatError } from '../base/chat-error.js'
import { type Live, LiveValue } from '../base/live.js'
import type { Env } from '../base/platform.js'
import { requestIds } from '../requests/request-ids.js'
import type { Lock } from '../store/lock.js'
import type { Change, Row, Store } from '../store/store.js'
import { Dispatcher, type Session } from './dispatcher.js'
import { bytesOf, Item, type ItemOwner } from './item.js'
import type { Outgoing, SendInput, Sent } from './outgoing.js'
import { Owners } from './owners.js'
import { deleteRow, type OutboxRow, putRow } from './rows.js'
import { OutboxWriter } from './writer.js'

/** What an outbox holds, those that have failed included. */
const MOST_MESSAGES = 1000
/** Of their JSON. */
const MOST_BYTES = 4_194_304
/** Of those that were sent last it is known which seq they have, for changes of them that come too late. */
const RECENT = 200

export interface OutboxOptions {
  readonly env: Pick<Env, 'now' | 'random' | 'timer'>
  readonly lock: Lock
}

export class Outbox implements ItemOwner {
  readonly #env: OutboxOptions['env']
  readonly #writer = new OutboxWriter()
  readonly #dispatcher: Dispatcher
  readonly #owners: Owners
  readonly #newCid = requestIds()
  /** Begins the keys of all rows of this client. */
  #id = this.#newCid()
  /** By cid, in the order of their keys. */
  #items = new Map<string, Item>()
  readonly #shown = new LiveValue<readonly Outgoing[]>([])
  /** Seqs by cid. */
  readonly #recent = new Map<string, number>()
  #bytes = 0
  /** Numbers of keys: of the next item, and before the first one. */
  #next = 0
  #first = 0
  /** Whose messages these are; null: of whoever logs in first. */
  #user: string | null = null
  #isOpen = false
  #opening: Promise<void> = Promise.resolve()

  constructor({ env, lock }: OutboxOptions) {
    this.#env = env
    this.#owners = new Owners(lock)
    this.#dispatcher = new Dispatcher(env, {
      changed: (item) => this.#changed(item),
      accepted: (item, sent) => this.#accepted(item, sent),
      failed: (item, error) => this.#failed(item, error),
    })
  }

  /** In the order in which they were sent. */
  get items(): Live<readonly Outgoing[]> {
    return this.#shown
  }

  /**
   * Takes a message to a room, or a change of one; an edit or deletion of what has not left changes that itself, and returns it.
   * @throws ChatError `bad_request`: it cannot be a message; `not_found`: no message with the cid `target` is on its way; `storage`: the outbox is full
   */
  send(room: string, input: SendInput): Outgoing {
    if (!isRoomId(room) && !directMembers(room) && !isPerson(room))
      throw new ChatError('bad_request', `there can be no room ${room}`, { field: 'room' })
    const place = this.#placeOf(room)
    const copy = copyOf(input)
    return typeof copy.target === 'string' ? this.#change(place, copy, copy.target) : this.#add(place, copy)
  }

  /**
   * Shows what the store of this user holds, and writes to it from now on. Never rejects: what cannot be kept is sent all the same. Messages
   * of another user are let go; they stay in their store.
   */
  open(user: string, store: Store): Promise<void> {
    this.#opening = this.#opening.then(() => this.#open(user, store))
    return this.#opening
  }

  /** Sends over this connection, of the user that it was opened for. */
  begin(session: Session): void {
    if (!session.signal.aborted) this.#dispatcher.begin(session)
  }

  /** Messages stay, and can be canceled; they are sent after the next `open` and `begin`. */
  close(): Promise<void> {
    this.#opening = this.#opening.then(() => this.#close())
    return this.#opening
  }

  retry(item: Item): void {
    if (!item.isFailed || !this.#has(item)) return
    item.since = this.#env.now()
    this.#requeue(item)
  }

  async cancel(item: Item): Promise<boolean> {
    if (!this.#has(item)) return item.state.current.at === 'canceled'
    if (item.hasLeft && !item.isFailed) return false
    this.#dispatcher.remove(item)
    this.#forget(item)
    item.canceled()
    const written = this.#writer.write([deleteRow(item)])
    // A client that is not connected writes it before it sends anything.
    if (this.#isOpen) await written
    return true
  }

  #add(room: string, input: SendInput): Item {
    const row = { cid: this.#newCid(), room, since: this.#env.now(), input }
    const item = new Item(this, [this.#id, ++this.#next], row)
    this.#requireSpace(item.bytes, 1)
    this.#hold([item])
    this.#dispatcher.push(item)
    this.#keep(item)
    // That it leaves is written with it.
    this.#dispatcher.pump()
    return item
  }

  /** Something about a message that was on its way when the caller looked. */
  #change(room: string, input: SendInput, cid: string): Outgoing {
    const item = this.#items.get(cid)
    const seq = this.#recent.get(cid)
    if (seq !== undefined) return this.#add(room, { ...input, target: seq })
    if (item?.room !== room)
      throw new ChatError('not_found', 'no message with this cid is on its way to the room', { field: 'target' })
    if (item.hasLeft || (input.type !== 'edit' && input.type !== 'delete')) return this.#add(room, input)
    if (input.type === 'edit') this.#rewrite(item, input)
    else void item.cancel().catch(() => {})
    return item
  }

  /** Its content is replaced, as an edit does it. */
  #rewrite(item: Item, edit: SendInput): void {
    const { text: _, attachments: _a, data: _d, mentions: _m, ...rest } = item.input
    const { type: _t, target: _g, ...content } = edit
    const input = { ...rest, ...content }
    this.#requireSpace(bytesOf(input) - item.bytes, 0)
    this.#bytes += item.rewrite(input)
    if (item.isFailed) this.#requeue(item)
    else this.#keep(item)
  }

  #requeue(item: Item): void {
    const seq = this.#recent.get(item.awaits ?? '')
    if (seq !== undefined) item.resolve(seq)
    item.queued()
    this.#dispatcher.insert(item.room, [item])
    this.#keep(item)
    this.#dispatcher.pump()
  }

  /** What the device cannot keep is sent all the same. */
  async #changed(item: Item): Promise<void> {
    if (this.#has(item)) await this.#writer.write([putRow(item)]).catch(() => {})
  }

  #accepted(item: Item, sent: Sent): void {
    if (!this.#has(item)) return
    this.#recent.set(item.cid, sent.seq)
    for (const cid of this.#recent.keys()) if (this.#recent.size > RECENT) this.#recent.delete(cid)
    const changes = this.#dispatcher.awaiting(item).map((other): Change => {
      other.resolve(sent.seq)
      return putRow(other)
    })
    this.#forget(item)
    void this.#writer.write([...changes, deleteRow(item)])
    item.accepted(sent)
  }

  #failed(item: Item, error: ChatError): void {
    if (!this.#has(item)) return
    item.failed(error)
    void this.#writer.write([putRow(item)])
  }

  async #open(user: string, store: Store): Promise<void> {
    if (this.#user !== null && this.#user !== user) await this.#leave()
    const isNew = this.#user === null
    this.#user = user
    if (isNew) this.#place()
    if (!this.#isOpen) {
      await this.#owners.hold(this.#id)
      this.#isOpen = true
      this.#writer.open(store)
    }
    const rows = await store.range('outbox').catch((): Row[] => [])
    const kept = new Set(rows.map(({ value }) => (value as OutboxRow).cid))
    for (const item of this.#items.values()) if (!kept.has(item.cid)) this.#keep(item)
    for (const owner of ownersIn(rows))
      if (owner !== this.#id) await this.#owners.whenGone(owner, () => this.#adopt(owner, store))
  }

  /** Messages that were written before it was known to whom `@user` is a conversation. */
  #place(): void {
    for (const item of this.#items.values()) {
      this.#dispatcher.remove(item)
      item.room = this.#placeOf(item.room)
      this.#dispatcher.push(item)
    }
  }

  /** A direct conversation has one name, so that there is one order in it. */
  #placeOf(room: string): string {
    return this.#user !== null && isPerson(room) ? directRoom(this.#user, room.slice(1)) : room
  }

  /** Another user has logged in. */
  async #leave(): Promise<void> {
    await this.#close()
    this.#writer.drop()
    // What it leaves in the store of its user is found there when that comes back.
    this.#id = this.#newCid()
    for (const item of this.#items.values()) {
      this.#dispatcher.remove(item)
      this.#forget(item)
      item.canceled('another user has logged in')
    }
    this.#recent.clear()
  }

  async #close(): Promise<void> {
    this.#isOpen = false
    await this.#writer.close()
    this.#owners.close()
  }

  /** Takes over what another client, which is gone, has left. It is older than what has not left here. */
  async #adopt(owner: string, store: Store): Promise<void> {
    const rows = await store.range('outbox', { prefix: [owner] })
    const adopted = rows.filter(({ value }) => !this.#items.has((value as OutboxRow).cid))
    this.#first -= adopted.length
    const items = adopted.map(({ value }, at) => new Item(this, [this.#id, this.#first + at], value as OutboxRow))
    await this.#writer.write([...rows.map(deleteRow), ...items.map(putRow)], { durable: true })
    this.#hold(items, true)
    for (const [room, queued] of byRoom(items.filter(({ isFailed }) => !isFailed)))
      this.#dispatcher.insert(room, queued)
    this.#dispatcher.pump()
  }

  /** False: it has been sent, canceled, or let go. */
  #has(item: Item): boolean {
    return this.#items.get(item.cid) === item
  }

  /** Writes it as it is now. */
  #keep(item: Item): void {
    item.stored = this.#writer.write([putRow(item)], { durable: true })
  }

  #hold(items: readonly Item[], areFirst = false): void {
    const more = items.map((item) => [item.cid, item] as const)
    this.#items = new Map(areFirst ? [...more, ...this.#items] : [...this.#items, ...more])
    for (const { bytes } of items) this.#bytes += bytes
    this.#show()
  }

  #forget(item: Item): void {
    this.#items.delete(item.cid)
    this.#bytes -= item.bytes
    this.#show()
  }

  #show(): void {
    this.#shown.set([...this.#items.values()])
  }

  #requireSpace(bytes: number, messages: number): void {
    if (this.#items.size + messages > MOST_MESSAGES)
      throw new ChatError('storage', `the outbox is full: ${this.#items.size} messages wait`)
    if (this.#bytes + bytes > MOST_BYTES)
      throw new ChatError('storage', `the outbox is full: ${this.#bytes} of ${MOST_BYTES} bytes of messages wait`)
  }
}

/** Whoever wrote last comes first: what is adopted is put in front of what was before. */
function ownersIn(rows: readonly Row[]): string[] {
  const owners = new Map<string, number>()
  for (const { key, value } of rows) owners.set(key[0] as string, (value as OutboxRow).since)
  return [...owners].sort(([, a], [, b]) => b - a).map(([owner]) => owner)
}

function byRoom(items: readonly Item[]): Map<string, Item[]> {
  const rooms = new Map<string, Item[]>()
  for (const item of items) rooms.set(item.room, [...(rooms.get(item.room) ?? []), item])
  return rooms
}

function isPerson(room: string): boolean {
  return room.startsWith('@') && isUserId(room.slice(1))
}

/** What the caller changes later does not count. @throws ChatError `bad_request` */
function copyOf(input: SendInput): SendInput {
  try {
    return JSON.parse(JSON.stringify(input))
  } catch (cause) {
    throw new ChatError('bad_request', 'a message is JSON', { cause })
  }
}
