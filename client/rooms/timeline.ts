/** A window over the messages of a room, which stays up to date: what is in the store, and what has to be fetched for it. */
import type { FoldedMessage, GoneMessage } from '../../schemas/commands/shown-message.js'
import { type Live, LiveValue } from '../base/live.js'
import type { Stop } from '../base/platform.js'
import type { Engine } from '../engine/engine.js'
import { isGone } from '../engine/folding.js'
import type { RoomState } from '../engine/room-state.js'
import { gapsOf, spanOf } from '../engine/spans.js'

export interface TimelineOptions {
  /** Where it begins: at the newest messages, at the first unread one, or at a seq. Left out: `latest`. */
  readonly at?: Place
  /** Messages at first, and of each `older` and `newer`: 1 to 200. Left out: 50. */
  readonly size?: number
}

export type Place = 'latest' | 'unread' | number

/** `end`: there is nothing more on this side. */
export type Edge = 'more' | 'loading' | 'end'

export interface TimelineState {
  readonly older: Edge
  /** `end`: messages that come are shown. */
  readonly newer: Edge
}

/** `key` stays with a message whatever becomes of it. */
export type Item =
  | { readonly kind: 'message'; readonly key: string; readonly message: FoldedMessage; readonly own: boolean }
  | { readonly kind: 'gone'; readonly key: string; readonly message: GoneMessage }
  /** Messages with these numbers were not fetched yet. `load` fetches the last of them, and rejects with a `ChatError` if it cannot. */
  | { readonly kind: 'gap'; readonly key: string; readonly from: number; readonly to: number; load(): Promise<void> }

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
  readonly #size: number
  readonly #items = new LiveValue<readonly Item[]>([])
  readonly #state = new LiveValue<TimelineState>({ older: 'loading', newer: 'end' })
  readonly #stops: Stop[]
  /** The window; null: not placed yet. `last` null: up to the newest. */
  #window: { readonly first: number; readonly last: number | null } | null = null
  /** When the room was created that the window is of. */
  #created = 0
  readonly #at: Place
  #loading: 'older' | 'newer' | null = null
  /** What is shown at present; null: nothing has to be shown. */
  #showing: Promise<void> | null = null
  #isDirty = false
  #isDisposed = false
  /** The last movement. */
  #moving: Promise<unknown> = Promise.resolve()

  constructor(engine: Engine, room: string, { at = 'latest', size = SIZE }: TimelineOptions = {}) {
    this.#engine = engine
    this.#room = room
    this.#size = Math.max(1, Math.min(size, MOST_SIZE))
    this.#at = at
    const { replica } = engine
    this.#stops = [
      replica.watch(room),
      replica.subscribe((rooms) => {
        if (rooms.has(room)) this.#changed()
      }),
      engine.onUpToDate(() => this.#beginAgain()),
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

  /** Resolves when up to `count` older messages are shown. Rejects with a `ChatError` if they cannot be fetched. */
  older(count = this.#size): Promise<void> {
    return this.#move('older', () => this.#extend('older', count))
  }

  /** Resolves when up to `count` newer messages are shown. Rejects with a `ChatError` if they cannot be fetched. */
  newer(count = this.#size): Promise<void> {
    return this.#move('newer', () => this.#extend('newer', count))
  }

  /** Shows another part of the room. Resolves with false if there is no such message (any more); rejects with a `ChatError`. */
  jump(to: Place): Promise<boolean> {
    return this.#move('older', () => this.#place(to))
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
      void this.jump(this.#at).catch(() => {})
    } else void this.#show()
  }

  /** It could not begin without a connection. */
  #beginAgain(): void {
    if (this.#window) return
    const place = async (): Promise<boolean> => this.#window !== null || this.#place(this.#at)
    void this.#move('older', place).catch(() => {})
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
    const seq = to === 'latest' ? END : to === 'unread' ? state.read + 1 : to
    if (seq > state.seq) {
      this.#window = { first: state.seq + 1, last: null }
      await this.#extend('older', this.#size)
      return to === 'latest' || to === 'unread'
    }
    if (!spanOf(state.spans, seq)) await this.#engine.history(this.#room, { around: seq, limit: this.#size })
    const [message] = await this.#engine.replica.messages(this.#room, [seq, seq])
    this.#window = { first: seq, last: seq - 1 }
    await this.#extend('newer', Math.ceil(this.#size / 2))
    await this.#extend('older', Math.floor(this.#size / 2))
    return message !== undefined && !isGone(message)
  }

  async #extend(side: 'older' | 'newer', count: number): Promise<void> {
    let left = count
    for (let pages = 0; left > 0 && pages <= PAGES; ) {
      const state = this.#known
      const edge = this.#edge(side)
      if (!state || edge === null || this.#isDisposed) break
      const span = spanOf(state.spans, edge)
      if (span) left -= await this.#take(side, edge, span, left)
      else if (pages++ < PAGES) await this.#fetch(side, edge, left)
    }
    // At the newest message the window begins to follow.
    if (side === 'newer' && this.#window && this.#edge('newer') === null) this.#window = { ...this.#window, last: null }
  }

  async #fetch(side: 'older' | 'newer', edge: number, count: number): Promise<void> {
    const limit = Math.min(Math.max(count, this.#size), MOST_SIZE)
    const from = side === 'older' ? { before: edge + 1 } : { after: edge - 1 }
    await this.#engine.history(this.#room, { ...from, limit })
  }

  /** The number beside the window; null: there is nothing. */
  #edge(side: 'older' | 'newer'): number | null {
    const state = this.#known
    if (!state || !this.#window) return null
    const { first, last } = this.#window
    if (side === 'older') return first > Math.max(state.tail, 1) ? first - 1 : null
    return last === null || last >= state.seq ? null : last + 1
  }

  /** Takes messages that the store has into the window; resolves with their number. */
  async #take(side: 'older' | 'newer', edge: number, [from, to]: readonly [number, number], count: number) {
    const range = side === 'older' ? ([from, edge] as const) : ([edge, to] as const)
    const reverse = side === 'older'
    const messages = await this.#engine.replica.messages(this.#room, range, { limit: count, reverse })
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
    const messages = await this.#engine.replica.messages(this.#room, [first, last ?? END])
    // Another movement may have changed the window meanwhile, and shortens it then.
    if (messages.length <= most || this.#window !== window) return
    if (grown === 'older') this.#window = { first, last: messages[most - 1]!.seq }
    else this.#window = { first: messages[messages.length - most]!.seq, last }
  }

  /** Reads the window from the store; changes meanwhile are shown after that. */
  #show(): Promise<void> {
    this.#isDirty = true
    this.#showing ??= this.#showAll()
    return this.#showing
  }

  async #showAll(): Promise<void> {
    while (this.#isDirty && !this.#isDisposed) {
      this.#isDirty = false
      // A store that was closed meanwhile has nothing new.
      await this.#read().catch(() => {})
    }
    this.#showing = null
  }

  async #read(): Promise<void> {
    const { replica } = this.#engine
    const window = this.#window
    const state = this.#known
    if (!state || !window) this.#items.set([])
    else {
      const last = Math.min(window.last ?? state.seq, state.seq)
      const read = await replica.messages(this.#room, [window.first, last])
      // A window that follows the room gives up its oldest messages.
      const messages = window.last === null ? read.slice(-this.#most) : read
      const first = messages.length < read.length ? messages[0]!.seq : window.first
      if (first !== window.first && this.#window === window) this.#window = { first, last: null }
      const known = new Map(this.#items.current.map((item) => [item.key, item]))
      const items = messages.map((message) => itemOf(message, replica.user!))
      const gaps = gapsOf(state.spans, [Math.max(first, state.tail), last]).map((gap) => this.#gapOf(gap))
      const all = [...items, ...gaps].sort((a, b) => placeOf(a) - placeOf(b))
      this.#items.set(all.map((item) => same(known.get(item.key), item)))
    }
    this.#showState()
  }

  #gapOf([from, to]: readonly [number, number]): Item {
    const load = async (): Promise<void> => {
      await this.#engine.history(this.#room, { before: to + 1, limit: this.#size })
    }
    return { kind: 'gap', key: `gap-${from}-${to}`, from, to, load }
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

function itemOf(message: FoldedMessage | GoneMessage, me: string): Item {
  const key = String(message.seq)
  return isGone(message) ? { kind: 'gone', key, message } : { kind: 'message', key, message, own: message.from === me }
}

function placeOf(item: Item): number {
  return item.kind === 'gap' ? item.from : item.message.seq
}

/** `before` if that is the same. */
function same(before: Item | undefined, now: Item): Item {
  return before && JSON.stringify(before) === JSON.stringify(now) ? before : now
}
