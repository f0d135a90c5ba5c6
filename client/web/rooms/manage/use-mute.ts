import type { CommandResult } from '../../../../schemas/commands.js'
import { usePresent } from '../../state/context.js'
import { useList } from '../../ui/use-pages.js'
import { useRoomNews } from './use-room-news.js'

export type Mute = CommandResult<'rooms.mutes'>['mutes'][number]

/** Entries of one request: who is muted beyond these is not found. */
const MOST = 1000

/** The mute of a user in a room; null: none, or the user who asks may not know. */
export function useMute(room: string, user: string, mayKnow: boolean): Mute | null {
  const { chat } = usePresent()
  const list = useList<Mute>(`${room} ${mayKnow}`, async (_, options) => {
    if (!mayKnow) return { items: [], more: false }
    return { items: (await chat.ask.rooms.mutes({ room, limit: MOST }, options)).mutes, more: false }
  })
  useRoomNews(room, ['muted', 'unmuted'], list.reload)
  return list.items.find((one) => one.user === user) ?? null
}
