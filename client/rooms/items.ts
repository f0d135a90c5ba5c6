/** What a timeline shows: messages of the room, with what is on its way to it. */
import type { FoldedMessage, GoneMessage, LoggedMessage } from '../../schemas/commands/shown-message.js'
import type { ReactionData } from '../../schemas/message.js'
import { applyChange, type Change, isGone } from '../engine/folding.js'
import type { Outgoing, SendInput } from '../outbox/outgoing.js'

interface Keyed {
  /** Stays with a message whatever becomes of it, also when it comes into the room. */
  readonly key: string
}

interface Changing extends Keyed {
  /** Edits, deletions, reactions and pins on their way. They are shown as if they were there, except those that have failed. */
  readonly changes?: readonly Outgoing[]
}

export type Item =
  | (Changing & {
      readonly kind: 'message'
      readonly message: FoldedMessage
      /** The user sent it. */
      readonly own: boolean
      /** It is on its way, or has failed: then `message` has the seq 0 and an empty id, until the broker has it. */
      readonly outgoing?: Outgoing
    })
  | (Changing & { readonly kind: 'gone'; readonly message: GoneMessage })
  /** Messages with these numbers were not fetched yet. `load` fetches the last of them, and rejects with a `ChatError` if it cannot. */
  | (Keyed & { readonly kind: 'gap'; readonly from: number; readonly to: number; load(): Promise<void> })

export type MessageItem = Exclude<Item, { kind: 'gap' }>

export interface Given {
  /** Ascending. */
  readonly messages: readonly LoggedMessage[]
  /** The messages on their way that are shown after these. */
  readonly coming: readonly Outgoing[]
  /** All that is on its way to the room. */
  readonly pending: readonly Outgoing[]
  readonly me: string
}

/** What an item was made of: the message, then what is on its way. */
type Source = readonly unknown[]

interface Made {
  readonly item: MessageItem
  readonly source: Source
}

/** Makes items that stay the same objects as long as what they are made of does. */
export class Items {
  /** Those made last, by key. */
  #made: ReadonlyMap<string, Made> = new Map()
  /** Their keys, by seq. */
  #keys: ReadonlyMap<number, string> = new Map()
  /** Those that are being made. */
  #next = new Map<string, Made>()
  #me = ''

  make({ messages, coming, pending, me }: Given): MessageItem[] {
    if (me !== this.#me) this.#made = new Map()
    this.#me = me
    this.#next = new Map()
    const changes = changesOf(pending)
    const sent = new Map(pending.map((one) => [one.cid, one]))
    // The outbox may not know yet that a message is in the room.
    const inRoom = new Map(messages.flatMap((message) => pairOf(message, sent, me)))
    const arrived = new Set(inRoom.values())
    const left = coming.filter((one) => !arrived.has(one))
    const items = [
      ...messages.map((message) => this.#itemOf(message, inRoom.get(message.seq), changes.get(message.seq))),
      ...left.map((one) => this.#itemOf(messageOf(one, me), one, changes.get(one.cid))),
    ]
    this.#keys = new Map(items.map(({ key, message }) => [message.seq, key]))
    this.#made = this.#next
    return items
  }

  #itemOf(message: LoggedMessage, outgoing: Outgoing | undefined, changes: readonly Outgoing[] = []): MessageItem {
    const key = this.#keyOf(message, outgoing)
    const source = sourceOf(outgoing ? [outgoing, ...changes] : changes)
    const known = this.#made.get(key)
    const isKnown = known && isSameMessage(known.source[0] as LoggedMessage, message) && isSame(known.source, source)
    const item = isKnown ? known.item : newItem(message, key, { outgoing, changes }, this.#me)
    this.#next.set(key, { item, source: [message, ...source] })
    return item
  }

  /** The cid of own messages, so that they keep it when they get a seq. */
  #keyOf(message: LoggedMessage, outgoing: Outgoing | undefined): string {
    const own = isGone(message) || message.from !== this.#me ? undefined : message.cid
    const { seq } = message
    // A cid that other programs of the user have made may be that of two messages, or a number.
    const { seq: holder = seq } = this.#made.get(own ?? '')?.item.message ?? {}
    const isFree = holder === seq || holder === 0
    const keys = [outgoing?.cid, this.#keys.get(seq || -1), isFree ? own : undefined, String(seq), `seq-${seq}`]
    return keys.find((key) => key !== undefined && !this.#next.has(key))!
  }
}

/** What is to be changed, by seq, or by cid as long as it is on its way itself. */
function changesOf(pending: readonly Outgoing[]): Map<number | string, Outgoing[]> {
  const changes = new Map<number | string, Outgoing[]>()
  for (const one of pending) {
    const { target } = one.input
    if (target !== undefined) changes.set(target, [...(changes.get(target) ?? []), one])
  }
  return changes
}

function pairOf(message: LoggedMessage, sent: ReadonlyMap<string, Outgoing>, me: string): [number, Outgoing][] {
  const outgoing = isGone(message) || message.from !== me ? undefined : sent.get(message.cid ?? '')
  return outgoing && outgoing.input.target === undefined ? [[message.seq, outgoing]] : []
}

function newItem(
  message: LoggedMessage,
  key: string,
  { outgoing, changes }: { readonly outgoing: Outgoing | undefined; readonly changes: readonly Outgoing[] },
  me: string,
): MessageItem {
  const shown = changes.reduce((now, change) => withChange(now, change, me), message)
  const more = changes.length > 0 ? { changes } : {}
  if (isGone(shown)) return { kind: 'gone', key, message: shown, ...more }
  return { kind: 'message', key, message: shown, own: shown.from === me, ...(outgoing && { outgoing }), ...more }
}

/** As it is going to be, as far as that is known. */
function messageOf({ cid, room, since, input, state }: Outgoing, me: string): FoldedMessage {
  const { target: _, forward: __, ...said } = input
  const { seq = 0, ts = since } = state.current.at === 'sent' ? state.current : {}
  return { id: '', room, seq, ts, from: me, cid, type: 'text', ...said }
}

function withChange(message: LoggedMessage, { input, since, state }: Outgoing, me: string): LoggedMessage {
  if (isGone(message) || state.current.at === 'failed' || hasReaction(message, input)) return message
  const seq = (message.asOf ?? message.seq) + 1
  return applyChange(
    message,
    { ...input, id: '', room: '', seq, target: message.seq, from: me, ts: since } as Change,
    me,
  )
}

/** Whether a reaction of the user is there, or not, as the input says it. */
function hasReaction({ reactions = [] }: FoldedMessage, { type, data }: SendInput): boolean {
  if (type !== 'reaction') return false
  const { emoji, remove = false } = data as ReactionData
  return reactions.some((one) => one.emoji === emoji && one.me) === !remove
}

function sourceOf(pending: readonly Outgoing[]): Source {
  return pending.flatMap((one) => [one, one.input, one.state.current.at === 'failed'])
}

/** `now` without the message, with which `known` begins. */
function isSame(known: Source, now: Source): boolean {
  return known.length === now.length + 1 && now.every((part, i) => part === known[i + 1])
}

/** What comes from a store may be another object. */
function isSameMessage(a: LoggedMessage, b: LoggedMessage): boolean {
  return a === b || versionOf(a) === versionOf(b)
}

/** Whatever changes a message changes one of these. */
function versionOf(message: LoggedMessage): string {
  if (isGone(message)) return `${message.seq} ${message.gone}`
  const { id, seq, asOf, replies } = message
  return [id, seq, asOf, replies?.count, replies?.lastSeq].join()
}

/** Both ascending; what is on its way stays last. */
export function withGaps(items: readonly Item[], gaps: readonly Item[]): Item[] {
  const all = [...items]
  for (const gap of gaps) {
    const at = all.findIndex((item) => placeOf(item) > placeOf(gap))
    all.splice(at < 0 ? all.length : at, 0, gap)
  }
  return all
}

function placeOf(item: Item): number {
  return item.kind === 'gap' ? item.from : item.message.seq || Number.MAX_SAFE_INTEGER
}
