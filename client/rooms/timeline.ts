/** A window over the messages of a room, which stays up to date: what is in the store, and what has to be fetched for it. */
import { type Live, LiveValue } from '../base/live.js'
import type { Stop } from '../base/platform.js'
import { Rerun } from '../base/rerun.js'
import type { Engine } from '../engine/engine.js'
import { isGone } from '../engine/folding.js'
import type { RoomState } from '../engine/room-state.js'
import { gapsOf, type Span, spanOf } from '../engine/spans.js'
import type { Outgoing } from '../outbox/outgoing.js'
import { type Item, Items, withGaps } from './items.js'
import { type ViewOptions, ViewReader } from './view-reader.js'

export interface TimelineOptions extends ViewOptions {
  /** Where it begins: at the newest messages, at the first unread one, or at a seq. Left out: `latest`. */
  readonly at?: Place
  /** Messages at first, and of each `older` and `newer`: 1 to 200. Left out: 50. */
  readonly size?: number
}

export type Place = 'latest' | 'unread' | number

/** What is on its way, of which a timeline shows what concerns it. */
export interface Pending {
  readonly items: Live<readonly Outgoing[]>
  /** Whose it is; empty: that is not known yet. */
  me(): string
}

/** `end`: there is nothing more on this side. */
export type Edge = 'more' | 'loading' | 'end'

export interface TimelineState {
  readonly older: Edge
  /** `end`: messages that come are shown. */
  readonly newer: Edge
}

interface Window {
  readonly first: number
  /** Null: up to the newest message. */
  readonly last: number | null
}

const SIZE = 50
const MOST_SIZE = 200
/** Sizes that a window grows to; then it gives up messages at its other side. */
const GROWTH = 8
/** Pages for one `older` or `newer`: some hold nothing but changes of other messages. */
const PAGES = 5
const END = 9007199254740991

export class Timeline {
  readonly #engine: Engine
  readonly #room: string
  readonly #pending: Pending
  readonly #reader: ViewReader
  readonly #size: number
  readonly #made = new Items()
  readonly #items = new LiveValue<readonly Item[]>([])
  readonly #state = new LiveValue<TimelineState>({ older: 'loading', newer: 'end' })
  readonly #stops: Stop[]
  /** Null: not placed yet. */
  #window: Window | null = null
  /** When the room was created that the window is of. */
  #created = 0
  readonly #at: Place
  #loading: 'older' | 'newer' | null = null
  /** Movements to another place that have not ended: until something of that is there, what is shown stays. */
  #placing = 0
  /** A store that was closed meanwhile has nothing new. */
  readonly #showing = new Rerun(() => this.#read().catch(() => {}))
  #hasPending = false
  #isDisposed = false
  /** The last movement. */
  #moving: Promise<unknown> = Promise.resolve()

  constructor(engine: Engine, pending: Pending, room: string, options: TimelineOptions = {}) {
    const { at = 'latest', size = SIZE } = options
    this.#engine = engine
    this.#room = room
    this.#pending = pending
    this.#reader = new ViewReader(engine, room, options)
    this.#size = Math.max(1, Math.min(size, MOST_SIZE))
    this.#at = at
    const { replica } = engine
    this.#stops = [
      replica.watch(room),
      () => this.#reader.dispose(),
      replica.subscribe((rooms) => {
        if (rooms.has(room)) this.#changed()
      }),
      // It could not begin without a connection.
      engine.onUpToDate(() => void this.begin().catch(() => {})),
      pending.items.subscribe((all) => {
        if (this.#hasPending || all.some((one) => one.room === room)) void this.#show()
      }),
    ]
    this.#changed()
  }

  /** Ascending. An item that has not changed stays the same object. */
  get items(): Live<readonly Item[]> {
    return this.#items
  }

  get state(): Live<TimelineState> {
    return this.#state
  }

  /** Resolves when it has begun. If that has failed, it is tried again, as with each connection. Rejects with a `ChatError` if it fails now. */
  async begin(): Promise<void> {
    await this.#moving
    await (this.#window ? this.#show() : this.#start())
  }

  /** Resolves when up to `count` older messages are shown. Rejects with a `ChatError` if they cannot be fetched. */
  older(count = this.#size): Promise<void> {
    return this.#move('older', () => this.#extend('older', count))
  }

  /** Resolves when up to `count` newer messages are shown. Rejects with a `ChatError` if they cannot be fetched. */
  newer(count = this.#size): Promise<void> {
    return this.#move('newer', () => this.#extend('newer', count))
  }

  /**
   * Shows another part of the room. Resolves with false if there is no such message (any more). Rejects with a `ChatError` if nothing of it can be
   * fetched: then the timeline stays where it is.
   */
  jump(to: Place): Promise<boolean> {
    return this.#moveTo(() => this.#place(to))
  }

  /** Nothing is shown or fetched any more. */
  dispose(): void {
    this.#isDisposed = true
    for (const stop of this.#stops) stop()
  }

  get #known(): RoomState | undefined {
    return this.#engine.replica.rooms.get(this.#room)
  }

  #changed(): void {
    const state = this.#known
    const isOther = state !== undefined && state.created !== this.#created
    if (state) this.#created = state.created
    // Before the first sync, and after a room was made anew, there was nothing to show.
    if (isOther || (state && this.#window && this.#window.first > state.seq + 1)) {
      this.#window = null
      void this.#start().catch(() => {})
    } else void this.#show()
  }

  #start(): Promise<boolean> {
    return this.#moveTo(async () => this.#window !== null || this.#place(this.#at))
  }

  #moveTo(place: () => Promise<boolean>): Promise<boolean> {
    this.#placing++
    return this.#move('older', () => place().finally(() => this.#placing--))
  }

  #move<T>(side: 'older' | 'newer', act: () => Promise<T>): Promise<T> {
    const next = this.#moving.then(async () => {
      this.#loading = side
      this.#showState()
      try {
        return await act()
      } finally {
        this.#loading = null
        await this.#show()
      }
    })
    this.#moving = next.catch(() => {})
    return next
  }

  async #place(to: Place): Promise<boolean> {
    const state = this.#known
    if (!state) return false
    // How far a thread was read is not known here.
    const isLatest = to === 'latest' || (to === 'unread' && this.#reader.thread !== undefined)
    const seq = isLatest ? END : to === 'unread' ? state.read + 1 : to
    if (seq > state.seq) {
      await this.#begin({ first: state.seq + 1, last: null }, { newer: 0, older: this.#size })
      return to === 'latest' || to === 'unread'
    }
    if (!spanOf(this.#reader.spans(state), seq)) await this.#reader.fetch({ around: seq, limit: this.#size })
    const [message] = await this.#reader.read([seq, seq])
    const half = this.#size / 2
    await this.#begin({ first: seq, last: seq - 1 }, { newer: Math.ceil(half), older: Math.floor(half) })
    return message !== undefined && !isGone(message)
  }

  /** Where nothing can be fetched, the window shows what the device has; if that is nothing, it stays where it was, and the error is thrown. */
  async #begin(window: Window, counts: Readonly<Record<'newer' | 'older', number>>): Promise<void> {
    const [before, created] = [this.#window, this.#created]
    this.#window = window
    let failure: unknown
    for (const side of ['newer', 'older'] as const)
      await this.#extend(side, counts[side]).catch((error: unknown) => (failure = error))
    // The room may have been made anew meanwhile.
    if (!failure || !this.#window || this.#created !== created) return
    const { first, last } = this.#window
    const shown = await this.#reader.read([first, last ?? END], { limit: 1, reverse: false })
    if (shown.length > 0) return
    this.#window = before
    throw failure
  }

  async #extend(side: 'older' | 'newer', count: number): Promise<void> {
    let left = count
    for (let pages = 0; left > 0 && pages <= PAGES; ) {
      const state = this.#known
      const edge = this.#edge(side)
      if (!state || edge === null || this.#isDisposed) break
      const span = spanOf(this.#reader.spans(state), edge)
      if (span) left -= await this.#take(side, edge, span, left)
      else if (pages++ < PAGES) await this.#fetch(side, edge, left)
    }
    // At the newest message the window begins to follow.
    if (side === 'newer' && this.#window && this.#edge('newer') === null) this.#window = { ...this.#window, last: null }
  }

  async #fetch(side: 'older' | 'newer', edge: number, count: number): Promise<void> {
    const limit = Math.min(Math.max(count, this.#size), MOST_SIZE)
    const from = side === 'older' ? { before: edge + 1 } : { after: edge - 1 }
    await this.#reader.fetch({ ...from, limit })
  }

  /** The number beside the window; null: there is nothing. */
  #edge(side: 'older' | 'newer'): number | null {
    const state = this.#known
    if (!state || !this.#window) return null
    const { first, last } = this.#window
    if (side === 'older') return first > this.#reader.first(state) ? first - 1 : null
    return last === null || last >= state.seq ? null : last + 1
  }

  /** Takes messages that the store has into the window; resolves with their number. */
  async #take(side: 'older' | 'newer', edge: number, [from, to]: readonly [number, number], count: number) {
    const range = side === 'older' ? ([from, edge] as const) : ([edge, to] as const)
    const reverse = side === 'older'
    const messages = await this.#reader.read(range, { limit: count, reverse })
    const isAll = messages.length < count
    // The room was made anew meanwhile.
    if (!this.#window) return 0
    const { first, last } = this.#window
    if (side === 'older') this.#window = { first: isAll ? from : messages[0]!.seq, last }
    else this.#window = { first, last: isAll ? to : messages.at(-1)!.seq }
    await this.#shrink(side)
    return messages.length
  }

  /** Messages of a window, at most. */
  get #most(): number {
    return this.#size * GROWTH
  }

  /** Gives up messages at the other side of a window that is too long. */
  async #shrink(grown: 'older' | 'newer'): Promise<void> {
    const most = this.#most
    const window = this.#window
    if (!window) return
    const { first, last } = window
    const messages = await this.#reader.read([first, last ?? END])
    // Another movement may have changed the window meanwhile, and shortens it then.
    if (messages.length <= most || this.#window !== window) return
    if (grown === 'older') this.#window = { first, last: messages[most - 1]!.seq }
    else this.#window = { first: messages[messages.length - most]!.seq, last }
  }

  /** Reads the window from the store; changes meanwhile are shown after that. */
  #show(): Promise<void> {
    return this.#showing.run()
  }

  async #read(): Promise<void> {
    if (this.#isDisposed) return
    const window = this.#window
    const state = this.#known
    // As of the same moment as the state: what has left the outbox is in the room then.
    const pending = this.#pending.items.current.filter(({ room }) => room === this.#room)
    this.#hasPending = pending.length > 0
    const me = this.#pending.me()
    if (state && !window && this.#placing > 0) return
    if (!state || !window)
      this.#items.set(this.#made.make({ messages: [], coming: this.#reader.coming(pending, 0), pending, me }))
    else {
      const last = Math.min(window.last ?? state.seq, state.seq)
      const read = await this.#reader.read([window.first, last])
      if (read.length === 0 && this.#placing > 0) return
      // A window that follows the room gives up its oldest messages.
      const messages = window.last === null ? read.slice(-this.#most) : read
      const first = messages.length < read.length ? messages[0]!.seq : window.first
      if (first !== window.first && this.#window === window) this.#window = { first, last: null }
      const coming = window.last === null ? this.#reader.coming(pending, state.seq) : []
      const items: Item[] = this.#made.make({ messages, coming, pending, me })
      const gaps = gapsOf(this.#reader.spans(state), [Math.max(first, this.#reader.first(state)), last])
      this.#items.set(
        withGaps(
          items,
          gaps.map((gap) => this.#gapOf(gap)),
        ),
      )
      this.#reader.fill(gaps, this.#size)
    }
    this.#showState()
  }

  #gapOf(gap: Span): Item {
    const [from, to] = gap
    return { kind: 'gap', key: `gap-${from}-${to}`, from, to, load: () => this.#reader.load(gap, this.#size) }
  }

  #showState(): void {
    const of = (side: 'older' | 'newer'): Edge => {
      if (this.#loading === side || !this.#known || !this.#window) return 'loading'
      return this.#edge(side) === null ? 'end' : 'more'
    }
    const state = { older: of('older'), newer: of('newer') }
    const { older, newer } = this.#state.current
    if (state.older !== older || state.newer !== newer) this.#state.set(state)
  }
}
