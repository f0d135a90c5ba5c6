/** What the user does with a room of theirs, from the list and from the room itself. */
import type { RoomSummary } from '../../index.js'
import type { Present } from '../state/context.js'
import { navigate } from '../state/router.js'
import { problemText } from '../text/problems.js'
import type { MenuItem } from '../ui/menu.js'
import { showToast } from '../ui/toast.js'
import { asChatError } from '../ui/use-request.js'
import { isMuted } from './is-muted.js'
import { leaveRoom } from './leave-room.js'
import { muteTimes } from './mute-times.js'
import { dialogTexts } from './texts.js'

/** @param isShown The room is the one that is shown */
export function roomActs(present: Present, summary: RoomSummary, isShown: boolean): readonly MenuItem[] {
  const { chat, user } = present
  const t = dialogTexts.value.roomActs
  const { room: id, info, mine } = summary
  const room = chat.room(id)
  const set = (changes: Parameters<typeof room.settings>[0]) => () => tryTo(() => room.settings(changes))
  const mutes = isMuted(mine)
    ? [{ icon: 'muted' as const, text: t.unmute, act: set({ mutedUntil: null }) }]
    : muteTimes().map(({ text, until }) => ({
        icon: 'muted' as const,
        text: t.mute(text),
        act: () => tryTo(() => room.settings({ mutedUntil: until() })),
      }))
  const leave: MenuItem = {
    icon: 'leave',
    text: dialogTexts.value.leave.room,
    isDanger: true,
    act: () => tryTo(() => leaveRoom(chat, user, id, info), dialogTexts.value.leave.lastOwner),
  }
  return [
    ...readActs(present, summary, isShown),
    { icon: 'pin', text: mine.pinned ? t.unpin : t.pin, act: set({ pinned: !mine.pinned }) },
    ...mutes,
    { icon: 'hide', text: mine.hidden ? t.show : t.hide, act: set({ hidden: !mine.hidden }) },
    ...(info.direct ? [] : [leave]),
  ]
}

function readActs(
  { chat }: Present,
  { room: id, unread, mine, last }: RoomSummary,
  isShown: boolean,
): readonly MenuItem[] {
  const t = dialogTexts.value.roomActs
  const room = chat.room(id)
  if (unread > 0 || mine.unreadFrom !== null) return [{ icon: 'sent', text: t.markRead, act: () => room.read() }]
  if (!last) return []
  const markUnread = async (): Promise<void> => {
    // It would be read at once again.
    if (isShown) navigate('/')
    await room.markUnread(last.seq)
  }
  return [{ icon: 'unread', text: t.markUnread, act: () => tryTo(markUnread) }]
}

/** @param conflict What is said of the code `conflict` */
function tryTo(act: () => Promise<unknown>, conflict?: string): void {
  act().catch((problem: unknown) => {
    const error = asChatError(problem)
    showToast(error.code === 'conflict' && conflict !== undefined ? conflict : problemText(error))
  })
}
