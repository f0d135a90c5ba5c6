/** Messages on their way: kept until the broker has them, and sent once, in the order of their room. */
import { directMembers, directRoom, isRoomId } from '../../schemas/ids.js'
import { ChatError } from '../base/chat-error.js'
import type { Live } from '../base/live.js'
import type { Env, Stop } from '../base/platform.js'
import { requestIds } from '../requests/request-ids.js'
import { alone, type Lock } from '../store/lock.js'
import type { Change, Row, Store } from '../store/store.js'
import { Dispatcher, type Session } from './dispatcher.js'
import type { Attach } from './files.js'
import { copyOf, isPerson } from './input.js'
import { bytesOf, Item, type ItemOwner } from './item.js'
import { Items } from './items.js'
import { byRoom } from './lane.js'
import type { Outgoing, SendInput, Sent } from './outgoing.js'
import { Owners } from './owners.js'
import { deleteFiles, deleteRow, type OutboxRow, ownersIn, putFiles, putRow } from './rows.js'
import { type AttachedInput, noFiles, type OpenUploads, type Uploads } from './uploads.js'
import { OutboxWriter } from './writer.js'

/** Of those that were sent last it is known which seq they have, for changes of them that come too late. */
const RECENT = 200
/** Ms after which it looks for rows of clients that came later. */
const LOOK = 15_000

export interface OutboxOptions {
  readonly env: Pick<Env, 'now' | 'random' | 'timer'>
  /** Null: no other client can have the same store. */
  readonly lock: Lock | null
  /** The last seq of a room that the client has; 0: none. */
  headOf(room: string): number
  /** Absent: messages have no files of the device. */
  readonly uploads?: OpenUploads | undefined
}

/** What is put into it. */
type Added = Pick<AttachedInput, 'input'> & Partial<AttachedInput>

export class Outbox implements ItemOwner {
  readonly #env: OutboxOptions['env']
  readonly #headOf: OutboxOptions['headOf']
  readonly #writer = new OutboxWriter()
  readonly #dispatcher: Dispatcher
  readonly #owners: Owners
  readonly #uploads: Uploads | undefined
  readonly #newCid = requestIds()
  /** Begins the keys of all rows of this client. */
  #id = this.#newCid()
  readonly #items = new Items()
  /** Seqs by cid. */
  readonly #recent = new Map<string, number>()
  /** Numbers of keys: of the next item, and before the first one. */
  #next = 0
  #first = 0
  /** Whose messages these are; null: of whoever logs in first. */
  #user: string | null = null
  #store: Store | null = null
  readonly #isShared: boolean
  #stopLook: Stop = () => {}
  #isOpen = false
  #opening: Promise<void> = Promise.resolve()

  constructor({ env, lock, headOf, uploads }: OutboxOptions) {
    this.#env = env
    this.#headOf = headOf
    this.#uploads = uploads?.({
      items: () => this.#items,
      changed: (item) => {
        void this.#changed(item)
        this.#dispatcher.pump()
      },
      failed: (item, error) => {
        this.#dispatcher.remove(item)
        this.#failed(item, error)
        this.#dispatcher.pump()
      },
    })
    this.#isShared = lock !== null
    this.#owners = new Owners(lock ?? alone)
    this.#dispatcher = new Dispatcher(env, {
      changed: (item) => this.#changed(item),
      accepted: (item, sent) => this.#accepted(item, sent),
      failed: (item, error) => this.#failed(item, error),
    })
  }

  /** In the order in which they were sent. */
  get items(): Live<readonly Outgoing[]> {
    return this.#items.shown
  }

  /** See `Items`. */
  get pending(): Live<readonly Outgoing[]> {
    return this.#items.pending
  }

  /**
   * Takes a message to a room, or a change of one; an edit or deletion of what has not left changes that itself, and returns it.
   * @throws ChatError `bad_request`: it cannot be a message; `not_found`: no message with the cid `target` is on its way; `storage`: the outbox is full;
   * `not_implemented`: the client was made without `files`
   */
  send(room: string, message: SendInput, attach: readonly Attach[] = []): Outgoing {
    if (!isRoomId(room) && !directMembers(room) && !isPerson(room))
      throw new ChatError('bad_request', `there can be no room ${room}`, { field: 'room' })
    const place = this.#placeOf(room)
    const copy = copyOf(message)
    const added = attach.length > 0 ? this.#required.attach(copy, attach) : { input: copy }
    return typeof copy.target === 'string' ? this.#change(place, added, copy.target) : this.#add(place, added)
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
    if (session.signal.aborted) return
    this.#uploads?.begin(session.signal)
    this.#dispatcher.begin(session)
  }

  /** Messages stay, and can be canceled; they are sent after the next `open` and `begin`. */
  close(): Promise<void> {
    this.#opening = this.#opening.then(() => this.#close())
    return this.#opening
  }

  /** The client has more of its rooms. `isAll`: it has all that was sent so far. */
  heard(isAll = false): void {
    const heard = this.#items.unheard.heard(isAll ? null : this.#headOf)
    if (heard.length === 0) return
    void this.#writer.write(heard.map(deleteRow))
    this.#items.show()
  }

  retry(item: Item): void {
    if (!item.isFailed || !this.#items.has(item)) return
    for (const one of [item, ...this.#items.about(item)]) one.since = this.#env.now()
    this.#requeue(item)
  }

  async cancel(item: Item): Promise<boolean> {
    if (!this.#items.has(item)) return item.state.current.at === 'canceled'
    if (item.hasLeft && !item.isFailed) return false
    for (const change of this.#items.about(item)) void this.cancel(change).catch(() => {})
    this.#dispatcher.remove(item)
    this.#items.forget(item)
    item.canceled()
    this.#uploads?.canceled(item)
    const written = this.#writer.write([deleteRow(item), ...deleteFiles(item)])
    // A client that is not connected writes it before it sends anything.
    if (this.#isOpen) await written
    return true
  }

  /** @throws ChatError `not_implemented` */
  get #required(): Uploads {
    if (!this.#uploads) throw noFiles()
    return this.#uploads
  }

  #add(room: string, { blobs, ...content }: Added): Item {
    const row = { cid: this.#newCid(), room, since: this.#env.now(), ...content }
    const item = new Item(this, [this.#id, ++this.#next], row, blobs)
    this.#items.requireSpace(item.bytes, 1)
    this.#items.hold([item])
    this.#dispatcher.push(item)
    this.#keep(item)
    // That it leaves is written with it.
    this.#dispatcher.pump()
    this.#uploads?.pump()
    return item
  }

  /** Something about a message that was on its way when the caller looked. */
  #change(room: string, added: Added, cid: string): Outgoing {
    const { input } = added
    const item = this.#items.get(cid)
    const seq = this.#recent.get(cid)
    if (seq !== undefined) return this.#add(room, { ...added, input: { ...input, target: seq } })
    if (item?.room !== room)
      throw new ChatError('not_found', 'no message with this cid is on its way to the room', { field: 'target' })
    const isEdit = input.type === 'edit'
    // An edit replaces the attachments: what was attached to the message, or is now, has to be uploaded before that can be said.
    const hasFiles = isEdit && (item.files.length > 0 || added.files)
    const isHere = !item.hasLeft || item.isFailed
    if (input.type === 'delete' && isHere) void item.cancel().catch(() => {})
    else if (isEdit && !item.hasLeft && !hasFiles) this.#rewrite(item, input)
    else return this.#add(room, added)
    return item
  }

  /** Its content is replaced, as an edit does it. */
  #rewrite(item: Item, edit: SendInput): void {
    const { text: _, attachments: _a, data: _d, mentions: _m, ...rest } = item.input
    const { type: _t, target: _g, ...content } = edit
    const input = { ...rest, ...content }
    this.#items.requireSpace(bytesOf(input) - item.bytes, 0)
    this.#items.grow(item.rewrite(input))
    if (item.isFailed) this.#requeue(item)
    else this.#keep(item)
    this.#items.show()
  }

  #requeue(item: Item): void {
    // Changes of it have failed with it.
    const items = [item, ...this.#items.about(item).filter(({ isFailed }) => isFailed)]
    for (const one of items) {
      const seq = this.#recent.get(one.awaits ?? '')
      if (seq !== undefined) one.resolve(seq)
      one.queued()
      this.#keep(one)
    }
    this.#dispatcher.insert(item.room, items)
    this.#dispatcher.pump()
    this.#uploads?.pump()
    this.#items.show()
  }

  /** What the device cannot keep is sent all the same. */
  async #changed(item: Item): Promise<void> {
    // Without its files a message would be of no use after a reload.
    if (item.areFilesKept && this.#items.has(item)) await this.#writer.write([putRow(item)]).catch(() => {})
  }

  #accepted(item: Item, sent: Sent): void {
    if (!this.#items.has(item)) return
    this.#recent.set(item.cid, sent.seq)
    for (const cid of this.#recent.keys()) if (this.#recent.size > RECENT) this.#recent.delete(cid)
    const changes = this.#dispatcher.awaiting(item).map((other): Change => {
      other.resolve(sent.seq)
      return putRow(other)
    })
    this.#items.drop(item)
    item.accepted(sent)
    const isHeard = sent.seq <= this.#headOf(item.room)
    const givenUp = isHeard ? [] : this.#items.unheard.add(item)
    const rows = [isHeard ? deleteRow(item) : putRow(item), ...givenUp.map(deleteRow), ...deleteFiles(item)]
    void this.#writer.write([...changes, ...rows])
    this.#items.show()
  }

  #failed(item: Item, error: ChatError): void {
    if (!this.#items.has(item)) return
    if (this.#uploads?.beginsAnew(item, error)) return this.#requeue(item)
    item.failed(error)
    void this.#changed(item)
    this.#items.show()
  }

  async #open(user: string, store: Store): Promise<void> {
    if (this.#user !== null && this.#user !== user) await this.#leave()
    const isNew = this.#user === null
    this.#user = user
    if (isNew) this.#place()
    if (!this.#isOpen) {
      await this.#owners.hold(this.#id)
      this.#isOpen = true
      this.#uploads?.open(store)
      this.#writer.open(store)
    }
    this.#store = store
    const kept = new Set((await this.#look()).map(({ value }) => (value as OutboxRow).cid))
    for (const item of this.#items) if (!kept.has(item.cid)) this.#keep(item)
  }

  /** Looks for what others have left behind, now and from time to time: they may have come after this one. */
  async #look(): Promise<readonly Row[]> {
    const store = this.#store
    if (!this.#isOpen || !store) return []
    const rows = await store.range('outbox').catch((): Row[] => [])
    for (const owner of ownersIn(rows))
      if (owner !== this.#id) await this.#owners.whenGone(owner, () => this.#adopt(owner, store))
    if (this.#isShared) this.#lookAgain()
    return rows
  }

  #lookAgain(): void {
    this.#stopLook()
    const look = (): void => {
      this.#opening = this.#opening.then(() => this.#look()).then(() => {})
    }
    this.#stopLook = this.#env.timer(LOOK, look)
  }

  /** Messages that were written before it was known to whom `@user` is a conversation. */
  #place(): void {
    for (const item of this.#items) {
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
    for (const item of this.#items) {
      this.#dispatcher.remove(item)
      this.#items.forget(item)
      item.canceled('another user has logged in')
    }
    this.#recent.clear()
    this.#items.unheard.clear()
    this.#items.show()
  }

  async #close(): Promise<void> {
    this.#isOpen = false
    this.#stopLook()
    await this.#uploads?.settled()
    await this.#writer.close()
    this.#owners.close()
  }

  /** Takes over what another client, which is gone, has left. It is older than what has not left here. */
  async #adopt(owner: string, store: Store): Promise<void> {
    const rows = await store.range('outbox', { prefix: [owner] })
    const adopted = rows.filter(({ value }) => !this.#items.get((value as OutboxRow).cid))
    this.#first -= adopted.length
    const items = await Promise.all(
      adopted.map(({ value }, at) => this.#restored(this.#first + at, value as OutboxRow)),
    )
    await this.#writer.write([...rows.map(deleteRow), ...items.map(putRow)], { durable: true })
    for (const item of items) if (item.seq > 0) this.#items.unheard.add(item)
    const unsent = items.filter(({ seq }) => seq === 0)
    this.#items.hold(unsent, true)
    this.heard()
    for (const [room, queued] of byRoom(unsent.filter(({ isFailed }) => !isFailed)))
      this.#dispatcher.insert(room, queued)
    this.#dispatcher.pump()
    this.#uploads?.pump()
  }

  async #restored(number: number, row: OutboxRow): Promise<Item> {
    const item = new Item(this, [this.#id, number], row, await this.#uploads?.bytesOf(row))
    item.areFilesKept = true
    if (!item.isReady && !item.isFailed && !this.#uploads) item.failed(noFiles())
    return item
  }

  /** Writes it as it is now. */
  #keep(item: Item): void {
    item.stored = this.#writer.write([putRow(item), ...putFiles(item)], { durable: true })
    if (!item.areFilesKept) this.#uploads?.keeps(item)
    item.areFilesKept = true
  }
}
