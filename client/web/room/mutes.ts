/** Mutes of the user by moderators: as far as they were told of, or a refusal made them be looked for. */
import { type Signal, signal } from '@preact/signals'
import type { Chat } from '../../index.js'
import { ofChat } from '../state/of-chat.js'

/** Until when (Unix ms), by room; null: until a moderator ends it. */
type Mutes = Signal<ReadonlyMap<string, number | null>>

/** Followed as long as the client lasts. */
export const mutesOf = ofChat((chat) => {
  const mutes: Mutes = signal(new Map())
  chat.on('muted', ({ room, until }) => set(mutes, room, until))
  chat.on('unmuted', ({ room }) => set(mutes, room, undefined))
  return mutes
})

/** What happened in a room. */
interface Said {
  readonly type?: string
  readonly user?: string
  readonly until?: number | null
}

/** After a refusal: the newest that was said of it in the room. */
export async function learnMute(chat: Chat, user: string, room: string): Promise<void> {
  const { events } = await chat.ask.rooms.events({ room, limit: 200 })
  const said = (events as readonly Said[]).findLast(
    (one) => one.user === user && (one.type === 'muted' || one.type === 'unmuted'),
  )
  if (said?.type === 'muted') set(mutesOf(chat), room, said.until ?? null)
}

/** Ms until which one may not write; 0: one may; null: until a moderator ends it. */
export function mutedFor(chat: Chat, room: string, now: number): number | null {
  const until = mutesOf(chat).value.get(room)
  if (until === undefined) return 0
  return until === null ? null : Math.max(0, until - now)
}

function set(mutes: Mutes, room: string, until: number | null | undefined): void {
  const next = new Map(mutes.peek())
  if (until === undefined) next.delete(room)
  else next.set(room, until)
  mutes.value = next
}
