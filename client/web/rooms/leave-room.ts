import type { Chat, RoomInfo } from '../../index.js'
import { navigate, route } from '../state/router.js'
import { confirm } from '../ui/confirm.js'
import { dialogTexts } from './texts.js'
import { titleOf } from './titles.js'

/** Leaves a room if the person is sure. Rejects with a `ChatError`: `conflict` if the room would be without an owner. */
export async function leaveRoom(chat: Chat, me: string, room: string, info: RoomInfo): Promise<void> {
  const { leave } = dialogTexts.value
  const isSure = await confirm({
    title: leave.ask(titleOf(room, info, me)),
    text: info.role === 'owner' ? leave.asOwner : info.access === 'public' ? leave.fromPublic : leave.fromOther,
    yes: leave.yes,
    isDanger: true,
  })
  if (!isSure) return
  await chat.room(room).leave()
  if (route.peek().parts['room'] === room) navigate('/', { replace: true })
}
