/**
 * The messages that mention a user, over all rooms they are in, newest first. It is merged from the notes of mentions in these rooms when it is
 * read: a message costs nothing more for it, whatever the number of members that `@room` reaches, and who joins or leaves has the inbox of the rooms
 * they are in now.
 */
import type { LogEntry, LogGrowth } from '../../store/logs.js'
import type { MemberRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import { comesBefore, type Place } from '../model/places.js'
import { hiddenFrom, logs } from '../model/views.js'
import { firstAt } from './history-around.js'
import { isMentioned } from './mentions.js'

/** Notes per read. */
const PAGE = 100
/** Rooms that are looked at together: each is a few reads. */
const AT_ONCE = 16
/** Ms by which the clocks of nodes may differ. */
const OVERLAP = 60_000

export interface MentionQuery {
  /** Only what comes behind it; null: all. */
  readonly after: Place | null
  readonly limit: number
  /** Notes to read, beside the first ones of each room: a page that ends by it has fewer mentions, or none, and names the next. */
  readonly scanned: number
}

export interface Mention {
  readonly place: Place
  readonly member: MemberRecord
  readonly entry: LogEntry
}

export interface MentionPage {
  /** Newest first; at most as many as were asked for. */
  readonly mentions: readonly Mention[]
  /** Where the next page begins; null: there is none. */
  readonly next: Place | null
}

type Reads = Pick<Store, 'log' | 'notes'>

/** Mentions of one user, of whom these are the memberships. */
export async function readMentions(
  store: Reads,
  members: readonly MemberRecord[],
  { after, limit, scanned }: MentionQuery,
): Promise<MentionPage> {
  const merge = new Merge(store, after, await byActivity(store, members))
  const mentions: Mention[] = []
  let left = scanned
  for (let room = await merge.newest(); room; room = await merge.newest()) {
    if (room.found.length === 0) {
      if (left <= 0) return { mentions, next: room.place }
      left -= await room.scan()
    } else if (mentions.length === limit) {
      return { mentions, next: mentions.at(-1)!.place }
    } else {
      mentions.push(room.take())
    }
  }
  return { mentions, next: null }
}

interface Room {
  readonly member: MemberRecord
  readonly log: LogGrowth
}

/** The room in which somebody wrote last comes first; before these, rooms of which a version before kept no such order. */
async function byActivity({ log }: Reads, members: readonly MemberRecord[]): Promise<Room[]> {
  const all = await log.openAll(members.map(({ room }) => logs.messages(room)))
  const rooms = members.map((member, i): Room => ({ member, log: all[i]! })).filter((room) => room.log.head > 0)
  const order = ({ log: { spokenIn } }: Room): number => (spokenIn === 0 ? Number.POSITIVE_INFINITY : spokenIn)
  return rooms.sort((a, b) => (order(a) === order(b) ? 0 : order(a) < order(b) ? 1 : -1))
}

/** The rooms whose notes are read. Hardly any is looked at before the merge has come to the time of its last entry. */
class Merge {
  readonly #store: Reads
  readonly #after: Place | null
  /** The last one is next. */
  readonly #waiting: Room[]
  /** Of the next one: no message of its, and of those behind it, is newer. Null: it was not looked up. */
  #latestWaiting: number | null = null
  readonly #open: RoomScan[] = []

  constructor(store: Reads, after: Place | null, rooms: readonly Room[]) {
    this.#store = store
    this.#after = after
    this.#waiting = rooms.toReversed()
  }

  /** The room that comes next: by a mention that was found, or else by how far its notes were read. Null: all were read. */
  async newest(): Promise<RoomScan | null> {
    for (;;) {
      const first = this.#first()
      const next = this.#waiting.at(-1)
      if (!next) return first
      if (first) {
        this.#latestWaiting ??= await this.#latest(next)
        if (this.#latestWaiting + OVERLAP < first.place.ts) return first
      }
      await Promise.all(this.#waiting.splice(-AT_ONCE).map((room) => this.#start(room)))
      this.#latestWaiting = null
    }
  }

  #first(): RoomScan | null {
    let first: RoomScan | null = null
    for (const room of this.#open) if (!room.isDone && (!first || comesBefore(room.place, first.place))) first = room
    return first
  }

  async #start(room: Room): Promise<void> {
    const scan = await RoomScan.begin(this.#store, room, await this.#latest(room), this.#after)
    if (!scan.isDone) this.#open.push(scan)
  }

  /** Unix ms after which nobody wrote in the room; now, where that is not known. */
  async #latest({ log: { name, head, spokenIn } }: Room): Promise<number> {
    const [entry] = spokenIn === 0 ? [] : await this.#store.log.read(name, head - 1, 1, 1, 'shown')
    return entry?.ts ?? Date.now()
  }
}

/** The notes of one room, read backwards. */
class RoomScan {
  readonly found: Mention[] = []
  readonly #store: Reads
  readonly #room: Room
  readonly #first: number
  readonly #after: Place | null
  /** The next note is about an entry before this one; 0: there is none. */
  #before: number
  /** All notes up to here were read. */
  #read: Place
  /** An entry behind `after` was come to: so are all older ones, whatever the clocks of the nodes say. */
  #isBehind: boolean

  private constructor(store: Reads, room: Room, before: number, read: Place, after: Place | null) {
    this.#store = store
    this.#room = room
    this.#first = Math.max(room.log.tail, hiddenFrom(room.member) + 1)
    this.#before = before
    this.#read = read
    this.#after = after
    this.#isBehind = after === null || after.room === room.member.room
  }

  /** @param latest Unix ms: no message of the room is newer */
  static async begin(store: Reads, room: Room, latest: number, after: Place | null): Promise<RoomScan> {
    const { log, member } = room
    const end = { ts: latest, room: member.room, seq: log.head + 1 }
    let before = end.seq
    if (after?.room === member.room) before = Math.min(before, after.seq)
    else if (after && latest > after.ts) before = await firstAt(store, log, log.tail, after.ts + 1)
    const scan = new RoomScan(store, room, before, after && comesBefore(end, after) ? after : end, after)
    await scan.scan()
    return scan
  }

  get isDone(): boolean {
    return this.found.length === 0 && this.#before === 0
  }

  get place(): Place {
    return this.found[0]?.place ?? this.#read
  }

  take(): Mention {
    return this.found.shift()!
  }

  /** Reads some notes. Resolves with their number. */
  async scan(): Promise<number> {
    const { member, log } = this.#room
    const targets = [this.#first, this.#before - 1] as const
    const query = { kind: 'mention', targets, limit: PAGE, reverse: true } as const
    const notes = targets[1] < targets[0] ? [] : await this.#store.notes.list(log.name, query)
    for (const [i, { target, value }] of notes.entries()) {
      const isMine = isMentioned(member.user, value)
      if (!isMine && i < notes.length - 1) continue
      const [entry] = await this.#store.log.read(log.name, target - 1, 1, 1, 'shown')
      if (entry?.seq !== target) continue
      this.#read = { ts: Math.min(entry.ts, this.#read.ts), room: member.room, seq: target }
      this.#isBehind ||= comesBefore(this.#after!, this.#read)
      if (isMine && this.#isBehind && !entry.gone) this.found.push({ place: this.#read, member, entry })
    }
    this.#before = notes.length < PAGE ? 0 : notes.at(-1)!.target
    return notes.length
  }
}
