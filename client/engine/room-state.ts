/** What the client knows of one room, and how that changes: pure functions of what it knew and what it was told. */
import type { LoggedMessage, SentMessage } from '../../schemas/commands/shown-message.js'
import type { CommandResult } from '../../schemas/commands.js'
import {
  applyChange,
  countReply,
  endOf,
  foldAll,
  isChange,
  isForReading,
  isGone,
  MOST_COUNTED,
  mentions,
} from './folding.js'
import { addSpan, cutSpans, type Span, type Spans } from './spans.js'

export type RoomNews = CommandResult<'sync'>['rooms'][number]
export type RoomCounts = CommandResult<'unread'>['rooms'][number]

/** As kept in the table `rooms`. The messages are in the table `messages`, by room and seq. */
export interface RoomState {
  readonly room: string
  /** Of the last message that is applied. */
  readonly seq: number
  readonly id: string | undefined
  /** When the room was created, Unix ms. */
  readonly created: number
  /** The first number that is still kept. */
  readonly tail: number
  /** All messages with these numbers are in the store. Others may be there; if they are, they are up to date as well. */
  readonly spans: Spans
  /** By view, besides these: its messages with these numbers are in the store. A view that was not asked for is left out. */
  readonly views?: Views
  readonly info: NonNullable<RoomNews['info']>
  readonly mine: RoomNews['mine']
  readonly read: number
  readonly unread: number
  readonly mentions: number
  /** The counts are of messages up to this one. */
  readonly counted: number
  /** The newest message; null: none, or it is not known. */
  readonly last: LoggedMessage | null
  /** When something was said last, or else the room began; Unix ms. */
  readonly activeAt: number
  /** It has more than `sync` knows by its token, and has to say so: it went on since, or so shortly before that this cannot be told apart. */
  readonly isAhead: boolean
  /** When messages of the device end, by seq, Unix ms of the broker; also of some that are gone. Absent: none does. */
  readonly ends?: Readonly<Record<number, number>>
  /** Of its messages on the device, about: those that were changed count again until some are dropped. Absent, or 0: there is at most the last one. */
  readonly bytes?: number
  /** Of the last message read, as long as the broker has not answered to that. Absent, or 0: it has. */
  readonly unsaid?: number
  /** Messages that have to be asked for again. Absent, or none: none has. */
  readonly stale?: readonly number[] | undefined
}

/** A part of the messages of a room: `roots` are those that are in no thread, `thread-1` the replies to 1. */
export type View = 'roots' | `thread-${number}`
type Views = Readonly<Record<string, Spans>>

const FIRST = 1
/** Views of a room that are known, those that were asked for last; more while more timelines show some. */
const MOST_VIEWS = 50
/** Also then. */
const MOST_SHOWN = 1000

/** The numbers of which all messages of a view are in the store. Null: all messages. */
export function spansOf({ spans, views }: RoomState, view: View | null): Spans {
  const more = view === null ? [] : (views?.[view] ?? [])
  return more.reduce(addSpan, spans)
}

/** The first number of which something may be in the store. */
export function oldestOf({ spans, views = {}, seq }: RoomState): number {
  return Math.min(...[spans, ...Object.values(views)].map(([first]) => first?.[0] ?? seq))
}

function cutViews(views: Views | undefined, span: Span): Pick<RoomState, 'views'> {
  if (!views) return {}
  return { views: Object.fromEntries(Object.entries(views).map(([view, spans]) => [view, cutSpans(spans, span)])) }
}

function addToView({ views = {}, seq }: RoomState, view: View, span: Span, shown: number): Views {
  const { [view]: spans = [], ...others } = views
  const kept = Object.entries(others).slice(1 - Math.min(Math.max(MOST_VIEWS, shown), MOST_SHOWN))
  return Object.fromEntries([...kept, [view, cutSpans(addSpan(spans, span), [FIRST, seq])]])
}

export interface AppliedNews {
  readonly state: RoomState
  /** To be put. */
  readonly messages: readonly LoggedMessage[]
  /** Messages after this number are what `messages` says, and no others. */
  readonly after: number
}

/**
 * With what `sync` answered of the room. Null: that begins after what the client has, which has to ask again and say where it is. What the client has
 * up to `since` is kept, with what has changed; all after that is as the answer says.
 */
export function applyNews(old: RoomState | null, news: RoomNews): AppliedNews | null {
  const { at, tail, mine, read, unread, head } = news
  const known = news.reset || at.created !== old?.created ? null : old
  const info = news.info ?? known?.info
  if (!info || (known === null ? !news.reset && news.since > 0 : news.since > known.seq)) return null
  const after = known ? news.since : 0
  const kept = cutSpans(known?.spans ?? [], [tail, after])
  const spans = addSpan(kept, [news.more ? news.before! : after + 1, at.seq])
  const last = news.messages.at(-1) ?? (news.more ? null : lastKept(known, news))
  const activeAt = timeOf(last) ?? known?.activeAt ?? info.createdAt
  const state: RoomState = {
    // `ends`, `bytes`, `unsaid`, `stale`.
    ...known,
    ...{ room: news.room, seq: at.seq, id: at.id, created: info.createdAt, tail, spans, info, mine },
    ...{ read, unread, mentions: news.mentions, counted: head, last },
    activeAt,
    ...cutViews(known?.views, [tail, after]),
    isAhead: isRecent(activeAt, at.ts ?? 0),
  }
  return { state, messages: [...news.changed, ...news.messages], after }
}

/** Ms for which the broker counts by time what may have been stored when a token was given, and some more. */
const RECENT = 120_000

/** Whether what was said at `activeAt` may be told again by a token that was given at `now`; Unix ms. */
export function isRecent(activeAt: number, now: number): boolean {
  return activeAt > now - RECENT
}

function lastKept(known: RoomState | null, { changed, since, tail }: RoomNews): LoggedMessage | null {
  const last = known?.last
  if (!last || last.seq > since || last.seq < tail) return null
  return changed.find(({ seq }) => seq === last.seq) ?? last
}

function timeOf(message: LoggedMessage | null): number | undefined {
  return message === null ? undefined : isGone(message) ? message.at : message.ts
}

/** What a room has to be asked for. */
export interface Unsure {
  /** The counts. */
  readonly counts: boolean
  /** Messages that began a thread in which a reply is gone. */
  readonly roots: readonly number[]
}

export interface AppliedLive {
  readonly state: RoomState
  /** To be put. */
  readonly messages: readonly LoggedMessage[]
  readonly unsure: Unsure
}

/** Messages that `entries` are about: their targets, and those that began their threads. */
export function subjectsOf(entries: readonly SentMessage[]): number[] {
  return [...new Set(entries.flatMap(({ target, thread }) => target ?? thread ?? []))]
}

/**
 * With what came live: `entries` in the order of the room, the first of them with the number after `state.seq`. `subjects`: of `subjectsOf`,
 * those that the store has.
 */
export function applyLive(
  state: RoomState,
  entries: readonly SentMessage[],
  subjects: ReadonlyMap<number, LoggedMessage>,
  me: string,
): AppliedLive {
  const live = new LiveRoom(state, subjects, me)
  for (const entry of entries) live.apply(entry)
  return live.result()
}

/** Of the JSON. */
export function sizeOf(messages: readonly LoggedMessage[]): number {
  return messages.length > 0 ? JSON.stringify(messages).length : 0
}

/** With the size and the ends of `messages`, which are put. */
export function withMessages(before: RoomState, messages: readonly LoggedMessage[]): RoomState {
  if (messages.length === 0) return before
  const ends = messages.flatMap((message) => (endOf(message) ? [[message.seq, endOf(message)]] : []))
  const bytes = (before.bytes ?? 0) + sizeOf(messages)
  return { ...before, bytes, ends: { ...before.ends, ...Object.fromEntries(ends) } }
}

/** With the end of these numbers. `messages`: those of them that the store has. */
export function applyEnds(
  state: RoomState,
  seqs: readonly number[],
  messages: ReadonlyMap<number, LoggedMessage>,
  me: string,
): AppliedLive {
  const ends = { ...state.ends }
  for (const seq of seqs) delete ends[seq]
  const live = new LiveRoom({ ...state, ends }, messages, me)
  for (const message of messages.values()) live.end(message)
  return live.result()
}

class LiveRoom {
  #state: RoomState
  readonly #me: string
  readonly #messages: Map<number, LoggedMessage>
  readonly #changed = new Set<number>()
  readonly #roots = new Set<number>()
  #isUnsure = false

  constructor(state: RoomState, subjects: ReadonlyMap<number, LoggedMessage>, me: string) {
    this.#state = state
    this.#messages = new Map(subjects)
    this.#me = me
  }

  apply(entry: SentMessage): void {
    const { seq, id } = entry
    const spans = addSpan(this.#state.spans, [seq, seq])
    this.#state = { ...this.#state, seq, id, spans, isAhead: true }
    if (isChange(entry)) {
      const about = this.#messages.get(entry.target)
      const after = about && applyChange(about, entry, this.#me)
      // Whether the broker counted the message before it was changed, or after, it alone knows.
      if (entry.target > this.#state.read && mayCount(entry, about, after, this.#me)) this.#isUnsure = true
      if (about && after) this.#change(about, after)
    } else this.#add(entry)
  }

  end(message: LoggedMessage): void {
    const { seq } = message
    if (isGone(message)) return
    if (seq > this.#state.read) {
      this.#state = count(this.#state, message, this.#me, -1)
      // Whether the broker had counted it, it alone knows.
      this.#isUnsure = true
    }
    this.#change(message, { seq, gone: 'expired' })
  }

  result(): AppliedLive {
    const messages = [...this.#changed].map((seq) => this.#messages.get(seq)!)
    return { state: this.#state, messages, unsure: { counts: this.#isUnsure, roots: [...this.#roots] } }
  }

  #add(message: SentMessage): void {
    this.#put(message)
    this.#state = { ...counted(this.#state, message, this.#me), last: message, activeAt: message.ts }
    const { info, mine } = this.#state
    // As the broker does.
    if (info.direct && mine.hidden) this.#state = { ...this.#state, mine: { ...mine, hidden: false } }
    const root = message.thread === undefined ? undefined : this.#messages.get(message.thread)
    if (root) this.#change(root, countReply(root, message))
  }

  #change(before: LoggedMessage, after: LoggedMessage): void {
    if (before === after) return
    this.#put(after)
    if (!isGone(before) && isGone(after) && before.thread !== undefined) this.#roots.add(before.thread)
    if (this.#state.last?.seq === after.seq) this.#state = { ...this.#state, last: after }
  }

  #put(message: LoggedMessage): void {
    this.#messages.set(message.seq, message)
    this.#changed.add(message.seq)
  }
}

/** Whether a change may change the counts of what is not read. */
function mayCount(
  { type }: SentMessage,
  before: LoggedMessage | undefined,
  after: LoggedMessage | undefined,
  me: string,
): boolean {
  if (type !== 'delete' && type !== 'edit') return false
  if (!before || !after) return true
  return isForReading(before, me) !== isForReading(after, me) || mentions(before, me) !== mentions(after, me)
}

function counted(state: RoomState, message: LoggedMessage, me: string): RoomState {
  if (message.seq <= Math.max(state.counted, state.read)) return state
  return { ...count(state, message, me, 1), counted: message.seq }
}

function count(state: RoomState, message: LoggedMessage, me: string, by: 1 | -1): RoomState {
  const sum = (one: number, counts: boolean): number => (counts ? Math.max(0, Math.min(one + by, MOST_COUNTED)) : one)
  return {
    ...state,
    unread: sum(state.unread, isForReading(message, me)),
    mentions: sum(state.mentions, mentions(message, me)),
  }
}

/** With counts that the broker has made. `later`: the messages after their head that the client has, ascending. */
export function applyCounts(
  state: RoomState,
  { read, unread, mentions: mentioned, head }: Pick<RoomCounts, 'read' | 'unread' | 'mentions' | 'head'>,
  later: readonly LoggedMessage[],
  me: string,
): RoomState {
  const base: RoomState = { ...state, read, unread, mentions: mentioned, counted: head }
  return later.reduce((sum, message) => counted(sum, message, me), base)
}

/** What `history` answered. */
export interface Page {
  readonly messages: readonly LoggedMessage[]
  /** It has all messages with these numbers; null: only some of them. */
  readonly span: Span | null
  /** It has only those of a view; null: of all. */
  readonly view: View | null
}

/** With a page of its history. `heard`: what came live since the page was asked for. `shown`: timelines of the room that are looked at. */
export function applyPage(
  state: RoomState,
  page: Page,
  heard: readonly SentMessage[],
  me: string,
  shown: number,
): Pick<AppliedLive, 'state' | 'messages'> {
  const within = ({ seq }: LoggedMessage): boolean => seq >= state.tail && seq <= state.seq
  const messages = page.messages.filter(within).map((message) => foldAll(message, heard, me))
  if (!page.span) return { state, messages }
  if (page.view !== null) return { state: { ...state, views: addToView(state, page.view, page.span, shown) }, messages }
  const spans = cutSpans(addSpan(state.spans, page.span), [FIRST, state.seq])
  const last = messages.at(-1)
  const isLast = last !== undefined && state.last === null && page.span[1] >= state.seq
  return { state: { ...state, spans, ...(isLast && { last }) }, messages }
}

/** Without the messages before `seq`, which stay at the broker. */
export function forgetBefore(state: RoomState, seq: number): RoomState {
  const kept: Span = [seq, state.seq]
  const ends = Object.entries(state.ends ?? {}).filter(([ending]) => Number(ending) >= seq)
  return {
    ...state,
    spans: cutSpans(state.spans, kept),
    ...cutViews(state.views, kept),
    ends: Object.fromEntries(ends),
  }
}
