/** The room that is open: its rows, and which of them are on the screen. */
import { type Item, type Outgoing, type Room, receiptOf, type Timeline } from '../../node/index.js'
import type { Row } from './frame.js'
import { type Notice, type RowsOptions, rowsOf } from './rows.js'

/** What the room itself does not know. */
type ViewOptions = Omit<RowsOptions, 'read' | 'thread'>

/** Answers that stay on the screen. */
const MOST_NOTICES = 50

export class RoomView {
  readonly room: Room
  /** The message whose thread it is; null: the room itself. */
  readonly thread: number | null
  readonly #timeline: Timeline
  readonly #stops: (() => void)[]
  /** What was read when it was opened. */
  readonly #read: number
  #notices: Notice[] = []
  /** Told while the newest messages were not there: they stand below these when they are. */
  #later: string[] = []
  #lastNotice = 0
  /** Of the last row that is shown; null: the newest one is, and what comes follows. */
  #anchor: string | null = null
  /** As they were made last, and of what. */
  #rows: { readonly of: readonly unknown[]; readonly rows: readonly Row[] } = { of: [], rows: [] }

  /** `changed`: what is shown may be another. */
  constructor(room: Room, thread: number | null, read: number, changed: () => void) {
    this.room = room
    this.thread = thread
    this.#read = read
    this.#timeline = room.timeline(thread === null ? {} : { thread })
    this.#stops = [
      this.#timeline.items,
      this.#timeline.state,
      room.info,
      room.typing,
      room.receipts,
      // So that Tab knows them.
      room.members,
    ].map((live) => live.subscribe(changed))
  }

  get items(): readonly Item[] {
    return this.#timeline.items.current
  }

  /** What is shown are earlier messages. */
  get isEarlier(): boolean {
    return this.#anchor !== null || this.#timeline.state.current.newer === 'more'
  }

  /** What became of the user's last message, such as `#12 read`; empty: there is none. */
  get receipt(): string {
    const own = this.items.findLast((item) => item.kind === 'message' && item.own)
    if (own?.kind !== 'message' || own.message.seq === 0) return ''
    return `#${own.message.seq} ${receiptOf(this.room.receipts.current, own.message.seq)}`
  }

  /** Whether a message on its way, or a change of one, is among the rows. */
  shows({ room, input: { target, thread } }: Outgoing): boolean {
    if (room !== this.room.id) return false
    if (target === undefined) return (thread ?? null) === this.thread
    return this.items.some(
      (item) => item.kind === 'message' && (item.message.seq === target || item.outgoing?.cid === target),
    )
  }

  /** An answer to the user: it is shown at once. */
  say(text: string): void {
    this.#place(text)
    this.#anchor = null
  }

  /** What the user did not ask for: whoever reads earlier messages stays there. */
  tell(text: string): void {
    if (this.#timeline.state.current.newer === 'more') this.#later = [...this.#later, text].slice(-MOST_NOTICES)
    else this.#place(text)
  }

  /** The rows on the screen. */
  visible(options: ViewOptions, region: number): readonly Row[] {
    const rows = this.#made(options)
    const end = this.#end(rows)
    return rows.slice(Math.max(0, end - region), Math.max(end, region))
  }

  /** A page up (-1) or down (1). Rejects with a `ChatError` if it cannot be fetched. */
  async page(direction: -1 | 1, options: ViewOptions, region: number): Promise<void> {
    const before = this.#made(options)
    const end = this.#end(before)
    if (direction < 0 && end <= region && this.#timeline.state.current.older === 'more') {
      this.#anchor ??= before.at(-1)?.key ?? null
      await this.#timeline.older()
    }
    if (direction > 0 && end >= before.length && this.#timeline.state.current.newer === 'more')
      await this.#timeline.newer()
    const rows = this.#made(options)
    this.#placeEnd(rows, Math.max(region, this.#end(rows) + direction * (region - 1)))
  }

  /** Shows the message with this number in the middle. Rejects with a `ChatError` if it cannot be fetched. */
  async lookAt(seq: number, options: ViewOptions, region: number): Promise<void> {
    await this.#timeline.jump(seq)
    const item = this.items.find((one) => one.kind === 'message' && one.message.seq === seq)
    const rows = this.#made(options)
    const at = item ? rows.findLastIndex(({ key }) => key.startsWith(`${item.key}:`)) : -1
    if (at < 0) throw new Error(`there is no message #${seq} here`)
    this.#placeEnd(rows, Math.max(region, at + 1 + Math.floor(region / 2)))
  }

  /** Shows the newest messages. */
  async follow(): Promise<void> {
    this.#anchor = null
    if (this.#timeline.state.current.newer === 'more') await this.#timeline.jump('latest')
  }

  end(): void {
    for (const stop of this.#stops) stop()
    this.#timeline.dispose()
  }

  #place(text: string): void {
    const after = this.items.at(-1)?.key ?? null
    this.#notices = [...this.#notices, { id: ++this.#lastNotice, after, text }].slice(-MOST_NOTICES)
  }

  #made({ width, style, me, isOnline }: ViewOptions): readonly Row[] {
    const { items } = this
    if (this.#timeline.state.current.newer === 'end') for (const text of this.#later.splice(0)) this.#place(text)
    // What is on its way changes without its item.
    const ways = items.flatMap((item) =>
      item.kind === 'message' && item.outgoing ? [item.outgoing.state.current] : [],
    )
    const of = [items, this.#notices, width, style, isOnline, ...ways]
    if (of.length !== this.#rows.of.length || of.some((one, i) => one !== this.#rows.of[i])) {
      const options = { width, style, me, isOnline, read: this.#read, thread: this.thread }
      this.#rows = { of, rows: rowsOf(items, this.#notices, options) }
      if (this.#anchor !== null) this.#anchor = nearestKey(this.#rows.rows, this.#anchor)
    }
    return this.#rows.rows
  }

  /** `end`: how many rows there are up to the last one that is shown. What is newer than the rows may not be there yet. */
  #placeEnd(rows: readonly Row[], end: number): void {
    const isNewest = end >= rows.length && this.#timeline.state.current.newer !== 'more'
    this.#anchor = isNewest ? null : (rows[Math.min(end, rows.length) - 1]?.key ?? null)
  }

  /** How many rows there are up to the last one that is shown. */
  #end(rows: readonly Row[]): number {
    if (this.#anchor === null) return rows.length
    return rows.findIndex(({ key }) => key === this.#anchor) + 1
  }
}

/** The row with this key, or else the nearest one of the same item; null: the item has no rows any more. */
function nearestKey(rows: readonly Row[], key: string): string | null {
  const { item, place } = partsOf(key)
  let nearest: string | null = null
  let least = Number.POSITIVE_INFINITY
  for (const row of rows) {
    const parts = partsOf(row.key)
    const distance = Math.abs(parts.place - place)
    if (parts.item !== item || distance >= least) continue
    nearest = row.key
    least = distance
  }
  return nearest
}

/** `{item}:{place of the row}`. */
function partsOf(key: string): { item: string; place: number } {
  const at = key.lastIndexOf(':')
  return { item: key.slice(0, at), place: Number(key.slice(at + 1)) }
}
