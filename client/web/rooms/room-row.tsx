import { Component } from 'preact'
import type { RoomSummary } from '../../index.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { pathTo } from '../state/router.js'
import { texts } from '../text/text.js'
import { askedMenu } from '../ui/asked-menu.js'
import { Avatar } from '../ui/avatar.js'
import { Icon, type IconName } from '../ui/icon.js'
import { Link } from '../ui/link.js'
import { Name } from '../ui/name.js'
import { fullTimeOf, shortTimeOf } from '../ui/times.js'
import { isMuted } from './is-muted.js'
import { peerOf, previewOf, titleOf } from './titles.js'

interface RoomRowProps {
  readonly summary: RoomSummary
  readonly isCurrent: boolean
  /** The list is entered here with the Tab key. */
  readonly isEntry: boolean
  /** Opens the menu of the room. */
  readonly openMenu: (room: string, place: DOMRect) => void
  /** When it is shown, in minutes: whether it is muted, and what its time is called, change by themselves. */
  readonly minute: number
}

/** Rendered again when it has changed itself: something happens in one of many rooms all the time. */
export class RoomRow extends Component<RoomRowProps> {
  override shouldComponentUpdate(next: RoomRowProps): boolean {
    return (Object.keys(next) as (keyof RoomRowProps)[]).some((key) => next[key] !== this.props[key])
  }

  override render(props: RoomRowProps) {
    return <Row {...props} />
  }
}

function Row({ summary, isCurrent, isEntry, openMenu }: RoomRowProps) {
  const { user } = usePresent()
  const { room, info, last, activeAt, unread, mine } = summary
  const title = titleOf(room, info, user)
  const peer = peerOf(room, user)
  const isQuiet = mine.notifications === 'none' || isMuted(mine)
  const classes = ['room-row', unread > 0 && 'unread', isQuiet && 'muted'].filter(Boolean).join(' ')
  return (
    <li {...askedMenu((place) => openMenu(room, place))} data-room={room}>
      <Link
        to={peer === null ? pathTo('room', { room }) : pathTo('user', { user: peer })}
        class={classes}
        isEntry
        tabIndex={isEntry ? 0 : -1}
        {...(isCurrent ? { 'aria-current': 'page' as const } : {})}
      >
        <span class="avatar-place">
          <Avatar id={peer ?? room} name={title} picture={info?.peer?.avatar ?? info?.avatar} />
          {peer !== null && <PresenceDot user={peer} />}
        </span>
        <span class="room-row-title">
          <Name text={title} isLine />
          {mine.pinned && <Sign icon="pin" text={texts.value.pinned} />}
          {isQuiet && <Sign icon="muted" text={texts.value.muted} />}
        </span>
        <time class="room-row-time" dateTime={new Date(activeAt).toISOString()} title={fullTimeOf(activeAt)}>
          {shortTimeOf(activeAt)}
        </time>
        <span class="room-row-last">{last ? <Preview last={last} peer={peer} /> : texts.value.noMessagesYet}</span>
        <Counts summary={summary} />
      </Link>
      <button
        type="button"
        class="button square row-more"
        tabIndex={-1}
        aria-label={texts.value.menuOf(title)}
        aria-haspopup="menu"
        onClick={({ currentTarget }) => openMenu(room, currentTarget.getBoundingClientRect())}
      >
        <Icon name="more" />
      </button>
    </li>
  )
}

function Sign({ icon, text }: { icon: IconName; text: string }) {
  return (
    <>
      <Icon name={icon} />
      <span class="hidden-text">{text}</span>
    </>
  )
}

/** @param peer Whose name the room has, too; null: it has its own */
function Preview({ last, peer }: { last: NonNullable<RoomSummary['last']>; peer: string | null }) {
  const { user, chat } = usePresent()
  const text = previewOf(last)
  const from = 'gone' in last ? null : last.from
  const profile = signalOf(chat.users.profile(peer ?? from ?? user)).value
  if (from === null) return <bdi class="line">{text}</bdi>
  const t = texts.value
  if (from === user) return <bdi class="line">{t.said(t.you, text)}</bdi>
  return <bdi class="line">{peer !== null ? text : t.said(profile?.name ?? from, text)}</bdi>
}

/** Said in words, too, as a colour is no text. */
export function PresenceDot({ user }: { user: string }) {
  const { chat } = usePresent()
  const presence = signalOf(chat.users.presence(user)).value
  if (!presence || presence.state === 'offline') return null
  return (
    <span class={`presence ${presence.state}`}>
      <span class="hidden-text">{texts.value.presence[presence.state]}</span>
    </span>
  )
}

function Counts({ summary: { unread, mentions, mine } }: { summary: RoomSummary }) {
  const t = texts.value
  if (unread === 0 && mine.unreadFrom !== null)
    return (
      <span class="room-row-counts">
        <span class="badge">
          <span class="hidden-text">{t.markedUnread}</span>
        </span>
      </span>
    )
  if (unread === 0) return <span class="room-row-counts" />
  const shown = unread > 99 ? t.atMost : String(unread)
  return (
    <span class="room-row-counts">
      {mentions > 0 && (
        <span class="badge of-mentions">
          <span aria-hidden="true">@</span>
          <span class="hidden-text">{t.mentions(mentions)}</span>
        </span>
      )}
      <span class="badge">
        <span aria-hidden="true">{shown}</span>
        <span class="hidden-text">{t.unread(unread)}</span>
      </span>
    </span>
  )
}
