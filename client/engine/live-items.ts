/** Applies what comes live to what the client knows. */
import type { SentMessage } from '../../schemas/commands/shown-message.js'
import type { Methods } from '../requests/methods.js'
import type { CatchUp } from './catch-up.js'
import type { Chores, MakeChores } from './chores.js'
import type { Fetches } from './fetches.js'
import { deletedBy } from './folding.js'
import type { Item, RoomEvent, UserEvent } from './inbox.js'
import type { Replica, Transaction } from './replica.js'
import { applyCounts, applyLive, type RoomNews, subjectsOf, type Unsure } from './room-state.js'
import type { Trim } from './trim.js'

/** What makes a user lose a room, or get one. */
const MEMBERSHIP: ReadonlySet<string> = /* @__PURE__ */ new Set(['added', 'removed', 'left', 'deleted', 'banned'])

export interface LiveItemsDeps {
  readonly ask: Methods
  readonly replica: Replica
  readonly fetches: Fetches
  readonly catchUp: CatchUp
  readonly chores: MakeChores
  readonly trim: Trim
}

/** Rooms whose counts have to be asked for. */
type UnsureRooms = Set<string>

export class LiveItems {
  readonly #deps: LiveItemsDeps
  readonly #counts: Chores

  constructor(deps: LiveItemsDeps) {
    this.#deps = deps
    this.#counts = deps.chores((room) => this.#count(room))
  }

  /** False: something was missed before. Rejects when it cannot be stored; nothing of it is applied then. */
  async apply(items: readonly Item[]): Promise<boolean> {
    const unsure: UnsureRooms = new Set()
    const isWhole = await this.#deps.replica.transact(async (tx) => {
      let whole = true
      for (const [room, messages] of messagesByRoom(items)) {
        if (!(await this.#applyMessages(tx, room, messages, unsure))) whole = false
      }
      for (const item of items) if (!this.#applyOther(tx, item, unsure)) whole = false
      return whole
    })
    await this.#deps.trim.all()
    for (const room of unsure) this.count(room)
    return isWhole
  }

  /** False: there are some before it that the client does not have. */
  async #applyMessages(
    tx: Transaction,
    room: string,
    messages: readonly SentMessage[],
    unsure: UnsureRooms,
  ): Promise<boolean> {
    const state = tx.room(room)
    if (!state) return false
    const { next, isWhole } = followers(messages, state.seq)
    if (next.length === 0) return isWhole
    const me = this.#deps.replica.user!
    const subjects = await tx.messages(room, subjectsOf(next))
    const applied = applyLive(state, next, subjects, me)
    this.#deps.fetches.heard(room, next)
    tx.put(applied.state, applied.messages)
    if (applied.unsure.counts) unsure.add(room)
    const known = await tx.messages(room, applied.unsure.roots)
    // Of deleted messages that the client does not have it does not know in which thread they were.
    const unknown = deletedBy(next).filter((seq) => !subjects.has(seq))
    const around = await this.#deps.replica.rootsAround(room, unknown)
    this.#deps.fetches.refresh(tx, room, [...known.keys(), ...around])
    await this.#deps.trim.room(tx, room)
    return isWhole
  }

  /** False: what it says has to be asked for. */
  #applyOther(tx: Transaction, item: Item, unsure: UnsureRooms): boolean {
    switch (item.kind) {
      case 'info': {
        const state = tx.room(item.room)
        if (state) tx.put({ ...state, info: { ...state.info, ...item.info } })
        return true
      }
      case 'receipt': {
        const state = tx.room(item.room)
        const { user, thread, read } = item.receipt
        const isMine = user === this.#deps.replica.user && thread === undefined
        // Nothing counts as read from where the user has marked messages as unread.
        const upTo = Math.min(read, (state?.mine.unreadFrom ?? Number.POSITIVE_INFINITY) - 1)
        if (state && isMine && upTo > state.read) unsure.add(item.room)
        return true
      }
      case 'userEvent':
        return this.#applyUserEvent(tx, item.event, unsure)
      case 'roomEvent':
        return this.#knows(tx, item.room, item.event)
      default:
        return true
    }
  }

  #applyUserEvent(tx: Transaction, event: UserEvent, unsure: UnsureRooms): boolean {
    const { type, room } = event
    if (room === undefined) return true
    if (MEMBERSHIP.has(type)) {
      // Whether it still holds, `sync` says: the user may be back by now.
      this.#deps.catchUp.doubt(room)
      return false
    }
    const state = tx.room(room)
    if (!state) return true
    if (type === 'role') tx.put({ ...state, info: { ...state.info, role: event.role as typeof state.info.role } })
    if (type === 'settings') {
      const mine = settingsOf(event)
      // Also if it is known: the counts beside it may have been made before.
      if (mine.unreadFrom !== null || state.mine.unreadFrom !== null) unsure.add(room)
      tx.put({ ...state, mine })
    }
    return true
  }

  /** False: the user has come into a room that the client does not know, or not as it is now. */
  #knows(tx: Transaction, room: string, { type, user, by }: RoomEvent): boolean {
    const me = this.#deps.replica.user
    const isEntry = (type === 'joined' && user === me) || (type === 'created' && by === me)
    if (tx.room(room) && !isEntry) return true
    this.#deps.catchUp.doubt(room)
    return false
  }

  ask(tx: Transaction, room: string, { counts, roots }: Unsure): void {
    if (counts) this.count(room)
    this.#deps.fetches.refresh(tx, room, roots)
  }

  /** Asks for the counts of a room. */
  count(room: string): void {
    this.#counts.add(room)
  }

  async #count(room: string): Promise<void> {
    const { ask, replica } = this.#deps
    const { rooms } = await ask.unread({ room })
    await replica.transact(async (tx) => {
      const state = tx.room(room)
      const [counts] = rooms
      if (!state || !counts) return
      const later = await replica.messages(room, [counts.head + 1, state.seq])
      tx.put(applyCounts(state, counts, later, replica.user!))
    })
  }
}

/** The settings as the event has them: it is the only one to carry them. */
function settingsOf(event: UserEvent): RoomNews['mine'] {
  const { notifications, mutedUntil, pinned, hidden, unreadFrom } = event as unknown as RoomNews['mine']
  return { notifications, mutedUntil, pinned, hidden, unreadFrom }
}

function messagesByRoom(items: readonly Item[]): Map<string, SentMessage[]> {
  const rooms = new Map<string, SentMessage[]>()
  for (const item of items) {
    if (item.kind !== 'message') continue
    const messages = rooms.get(item.room)
    if (messages) messages.push(item.message)
    else rooms.set(item.room, [item.message])
  }
  return rooms
}

/** Those with the numbers after `seq`, up to the first that is missing. */
function followers(messages: readonly SentMessage[], seq: number): { next: SentMessage[]; isWhole: boolean } {
  const next: SentMessage[] = []
  for (const message of messages) {
    const expected = seq + next.length + 1
    if (message.seq > expected) return { next, isWhole: false }
    if (message.seq === expected) next.push(message)
  }
  return { next, isWhole: true }
}
