import type { RoomInfo } from '../../index.js'
import { PresenceDot } from '../rooms/room-row.js'
import { peerOf } from '../rooms/titles.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { openPanel } from '../state/panel.js'
import { goBack } from '../state/router.js'
import { texts } from '../text/text.js'
import { Avatar } from '../ui/avatar.js'
import { Icon } from '../ui/icon.js'
import { lazy } from '../ui/lazy.js'
import { MenuButton } from '../ui/menu.js'
import { Name } from '../ui/name.js'

const HeaderMenuList = lazy(async () => ({ default: (await import('../rooms/room-menu.js')).HeaderMenuList }), true)
const PendingBadge = lazy(() => import('../rooms/manage/pending-badge.js'))

interface RoomHeaderProps {
  readonly id: string
  /** Null: it is not known. */
  readonly info: RoomInfo | null
  readonly title: string
}

export function RoomHeader({ id, info, title }: RoomHeaderProps) {
  const t = texts.value
  const { user } = usePresent()
  const peer = peerOf(id, user)
  return (
    <header class="pane-header room-header">
      <button type="button" class="button quiet square only-narrow" onClick={() => goBack('/')} aria-label={t.back}>
        <Icon name="back" mirrored />
      </button>
      <span class="avatar-place">
        <Avatar id={peer ?? id} name={title} picture={info?.peer?.avatar ?? info?.avatar} />
        {peer !== null && <PresenceDot user={peer} />}
      </span>
      <div class="room-header-texts">
        <h1>
          <button
            type="button"
            class="room-title"
            title={peer === null ? t.aboutRoom : t.aboutPerson}
            onClick={() => openPanel({ kind: 'room', room: id })}
          >
            <Name text={title} isLine />
          </button>
        </h1>
        <p>{peer === null ? <About info={info} /> : <PresenceText user={peer} />}</p>
      </div>
      {info && isForModerators(info) && (
        <span class="pending">
          <PendingBadge key={id} room={id} info={info} />
        </span>
      )}
      <HeaderMenu key={id} id={id} title={title} />
    </header>
  )
}

/** The table of rights is not needed to show a room. */
function isForModerators({ role, direct }: RoomInfo): boolean {
  return !direct && role !== null && role !== 'member' && role !== 'reader'
}

function HeaderMenu({ id, title }: { id: string; title: string }) {
  const present = usePresent()
  const label = texts.value.menuOf(title)
  const summary = signalOf(present.chat.rooms).value.find(({ room }) => room === id)
  // A conversation that has not begun.
  if (!summary) return null
  return (
    <MenuButton label={label} icon="more">
      {(opened) => <HeaderMenuList label={label} summary={summary} {...opened} />}
    </MenuButton>
  )
}

function About({ info }: { info: RoomInfo | null }) {
  if (!info) return <>&nbsp;</>
  return (
    <>
      {texts.value.members(info.members)}
      {info.topic && (
        <>
          {' · '}
          <Name text={info.topic} />
        </>
      )}
    </>
  )
}

function PresenceText({ user }: { user: string }) {
  const { chat } = usePresent()
  const presence = signalOf(chat.users.presence(user)).value
  // Of users whose presence one may not see there is the name alone.
  if (!presence) return <bdi dir="ltr">@{user}</bdi>
  return (
    <>
      {texts.value.presence[presence.state]}
      {presence.status && (
        <>
          {' · '}
          <Name text={presence.status} />
        </>
      )}
    </>
  )
}
