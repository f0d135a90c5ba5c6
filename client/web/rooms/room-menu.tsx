import { allows } from '../../../schemas/permissions.js'
import type { RoomSummary } from '../../index.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { openPanel } from '../state/panel.js'
import { texts } from '../text/text.js'
import { MenuList, type Opened } from '../ui/menu.js'
import { roomActs } from './room-acts.js'
import { dialogTexts } from './texts.js'
import { titleOf } from './titles.js'

interface RoomMenuProps {
  readonly room: string
  readonly place: DOMRect
  /** The room that is shown. */
  readonly current: string | null
  readonly close: () => void
}

/** The menu of a row of the list; the focus goes back to the row. */
export function RoomMenu({ room, place, current, close }: RoomMenuProps) {
  const present = usePresent()
  const summary = signalOf(present.chat.rooms).value.find((one) => one.room === room)
  if (!summary) return null
  const back = (): void => {
    close()
    document.querySelector<HTMLElement>(`[data-room="${CSS.escape(room)}"] a`)?.focus()
  }
  return (
    <MenuList
      label={texts.value.menuOf(titleOf(room, summary.info, present.user))}
      items={roomActs(present, summary, room === current)}
      place={() => place}
      close={back}
    />
  )
}

interface HeaderMenuProps extends Opened {
  readonly label: string
  readonly summary: RoomSummary
}

/** The menu in the header of the room that is shown. */
export function HeaderMenuList({ label, summary, ...opened }: HeaderMenuProps) {
  const present = usePresent()
  const t = texts.value
  const { room, info } = summary
  const items = [
    {
      icon: 'about' as const,
      text: info.direct ? t.aboutPerson : t.aboutRoom,
      act: () => openPanel({ kind: 'room', room }),
    },
    ...(info.direct
      ? []
      : [
          {
            icon: 'person' as const,
            text: dialogTexts.value.roomMembers,
            act: () => openPanel({ kind: 'members', room }),
          },
        ]),
    ...(info.role !== null && !info.direct && allows(info.role, 'invite')
      ? [
          {
            icon: 'plus' as const,
            text: dialogTexts.value.invitePeople,
            act: () => openPanel({ kind: 'invite', room }),
          },
        ]
      : []),
    { icon: 'thread' as const, text: t.threads, act: () => openPanel({ kind: 'threads', room }) },
    { icon: 'search' as const, text: t.searchMessages, act: () => openPanel({ kind: 'search', filters: { room } }) },
    ...roomActs(present, summary, true).map((item, i) => (i === 0 ? { ...item, isApart: true } : item)),
  ]
  return <MenuList label={label} items={items} {...opened} />
}
