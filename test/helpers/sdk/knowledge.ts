/** What a client of the SDK knows, as data: it runs where the client does, in Node or in a page. */
import type { RoomState } from '../../../client/engine/room-state.js'
import type { Chat, Item, RoomSummary, SendState, Timeline } from '../../../client/index.js'
import type { Store } from '../../../client/store/store.js'
import type { LoggedMessage } from '../../../schemas/commands/shown-message.js'
import type { Random } from '../random.js'
import { OwnRows } from './own-rows.js'

/** An item of a timeline, without what is no data. */
export type ShownItem =
  | { readonly kind: 'message' | 'gone'; readonly key: string; readonly message: LoggedMessage }
  | { readonly kind: 'gap'; readonly key: string; readonly from: number; readonly to: number }

/** Which messages a timeline shows: all, those that are in no thread, or those of a thread. */
type Part = 'all' | 'roots' | number

export interface ShownTimeline {
  readonly part: Part
  readonly items: readonly ShownItem[]
  /** It has the newest message. */
  readonly follows: boolean
}

export type Timelines = ReadonlyMap<Part, Timeline>

/** See `OwnRows`. */
export function watchOwn(chat: Chat): OwnRows {
  return new OwnRows(chat.room('own').timeline({ size: 200 }))
}

export interface Kept {
  readonly rooms: readonly RoomState[]
  readonly messages: readonly { readonly room: string; readonly message: LoggedMessage }[]
}

export interface Known {
  readonly status: string
  readonly rooms: readonly RoomSummary[]
  readonly outbox: readonly { readonly text: string | undefined; readonly state: SendState['at'] }[]
  readonly timelines: readonly ShownTimeline[]
  /** What was wrong with rows of own messages. */
  readonly wrongRows: readonly string[]
  /** What is in its store; null: another client writes there. */
  readonly kept: Kept | null
}

/** Of the room tea. */
export function openTimelines(chat: Chat): Timelines {
  const room = chat.room('tea')
  return new Map<Part, Timeline>([
    ['all', room.timeline({ size: 20, replies: true })],
    ['roots', room.timeline({ size: 20 })],
    [1, room.timeline({ size: 5, thread: 1 })],
  ])
}

export async function knowledge(chat: Chat, timelines: Timelines, rows: OwnRows, store: Store | null): Promise<Known> {
  return {
    status: chat.status.current.state,
    rooms: chat.rooms.current,
    outbox: chat.outbox.current.map(({ input, state }) => ({ text: input.text, state: state.current.at })),
    timelines: [...timelines].map(([part, { items, state }]) => ({
      part,
      items: items.current.flatMap(shown),
      follows: state.current.newer === 'end',
    })),
    wrongRows: rows.wrong,
    kept: store && (await keptIn(store)),
  }
}

async function keptIn(store: Store): Promise<Kept> {
  const rooms = await store.range('rooms')
  const messages = await store.range('messages')
  return {
    rooms: rooms.map(({ value }) => value as RoomState),
    messages: messages.map(({ key, value }) => ({ room: key[0] as string, message: value as LoggedMessage })),
  }
}

function shown(item: Item): ShownItem[] {
  const { kind, key } = item
  return kind === 'gap' ? [{ kind, key, from: item.from, to: item.to }] : [{ kind, key, message: item.message }]
}

/** Moves a timeline somewhere. Without a connection that may fail. */
export function move(timelines: Timelines, random: Random): Promise<unknown> {
  const timeline = random.pick([...timelines.values()])
  const gap = timeline.items.current.find((item) => item.kind === 'gap')
  if (gap && random.chance(0.5)) return gap.load()
  const to = random.pick(['latest', 'unread', random.between(1, 100)] as const)
  return random.pick([() => timeline.older(), () => timeline.newer(), () => timeline.jump(to)])()
}

/** Resolves when the message is stored on the device. */
export function send(chat: Chat, room: string, text: string): Promise<void> {
  return chat.send(room, text).stored
}

/** Edits what is on its way. Resolves with whether that is stored; false: nothing with this text is on its way. */
export async function edit(chat: Chat, text: string): Promise<boolean> {
  const item = chat.outbox.current.find(({ input }) => input.text === text)
  if (!item) return false
  await chat.send(roomOf(text), { type: 'edit', target: item.cid, text: `${text} (edited)` }).stored
  return true
}

/** Takes back what is on its way. Resolves with whether it did. */
export async function cancel(chat: Chat, text: string): Promise<boolean> {
  const item = chat.outbox.current.find(({ input }) => input.text === text)
  return item !== undefined && (await item.cancel())
}

/** Own messages are `room number`. */
export function roomOf(text: string): string {
  return text.split(' ')[0]!
}
