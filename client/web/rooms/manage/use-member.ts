import type { Chat, Member } from '../../../index.js'
import { usePresent } from '../../state/context.js'
import { signalOf } from '../../state/live.js'
import { type Answer, useRequest } from '../../ui/use-request.js'

/** Entries of one request: whose user id begins with that of the user comes before others of that name. */
const MOST = 1000

/** The membership of a user, as the broker has it; null: they are not in the room. */
export async function memberOf(
  { ask }: Pick<Chat, 'ask'>,
  room: string,
  user: string,
  signal?: AbortSignal,
): Promise<Member | null> {
  const { members } = await ask.rooms.members({ room, query: user, limit: MOST }, { ...(signal && { signal }) })
  return members.find((one) => one.user === user) ?? null
}

/** The membership of a user, as it is now. Null: they are not in the room. */
export function useMember(room: string, user: string): Answer<Member | null> {
  const { chat } = usePresent()
  const { list, count, more } = signalOf(chat.room(room).members).value
  const listed = list.find((one) => one.user === user) ?? null
  const isBeyond = count !== null && listed === null && more
  const asked = useRequest(`${room} ${user} ${isBeyond} ${count}`, async (signal) => {
    return isBeyond ? memberOf(chat, room, user, signal) : null
  })
  if (isBeyond) return asked
  return count === null ? { state: 'loading' } : { state: 'done', value: listed }
}
