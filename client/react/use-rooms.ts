import type { Room, RoomInfo, RoomSummary, Status, Unread } from '../index.js'
import { useChat } from './provider.js'
import { useLive } from './use-live.js'

/** On a server nobody is connected, and nothing is known. */
const IDLE: Status = { state: 'idle' }
const NO_ROOMS: readonly RoomSummary[] = []
const NOTHING_UNREAD: Unread = { rooms: 0, messages: 0, mentions: 0 }

/** Whether the client is connected, and what it waits for. */
export function useStatus(): Status {
  return useLive(useChat().status, IDLE)
}

/** The rooms of the user, the most active one first. */
export function useRooms(): readonly RoomSummary[] {
  return useLive(useChat().rooms, NO_ROOMS)
}

/** What is unread, in all rooms. */
export function useUnread(): Unread {
  return useLive(useChat().unread, NOTHING_UNREAD)
}

export interface RoomView {
  /** The same object each time. */
  readonly room: Room
  /** Null: the user is not in it, or it is not known yet. */
  readonly info: RoomInfo | null
}

/** A room, or the conversation `dm:{a}:{b}`. */
export function useRoom(id: string): RoomView {
  const room = useChat().room(id)
  return { room, info: useLive(room.info, null) }
}
