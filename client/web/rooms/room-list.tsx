import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useCallback, useMemo } from 'preact/hooks'
import type { RoomSummary } from '../../index.js'
import { brand } from '../state/brand.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { texts } from '../text/text.js'
import { Empty } from '../ui/empty.js'
import { lazy } from '../ui/lazy.js'
import { Name } from '../ui/name.js'
import { PersonAvatar } from '../ui/person-avatar.js'
import { rove } from '../ui/roving.js'
import { openDialog } from './dialogs.js'
import { filter, ListFilter, passes } from './list-filter.js'
import { ListMenu, ListTools } from './list-tools.js'
import { RoomRow } from './room-row.js'

const RoomMenu = lazy(async () => ({ default: (await import('./room-menu.js')).RoomMenu }), true)

/** The room whose menu is open, and where it was asked for. */
interface AskedMenu {
  readonly room: string
  readonly place: DOMRect
}

interface RoomListProps {
  /** The one that is shown. */
  readonly current: string | null
  /** What stands above the rooms. */
  readonly above: ComponentChildren
  /** What stands below them. */
  readonly children: ComponentChildren
}

/** The rooms of the user. */
export function RoomList({ current, above, children }: RoomListProps) {
  const t = texts.value
  const { chat } = usePresent()
  const all = signalOf(chat.rooms).value
  // What is being read does not go from under the reader.
  const shown = all.filter((one) => passes(one, filter.value) || (filter.value === 'unread' && one.room === current))
  const isLoading = all.length === 0 && signalOf(chat.status).value.state !== 'online'
  return (
    <nav class="rooms-pane" aria-label={t.rooms}>
      {useMemo(
        () => (
          <ListHeader />
        ),
        [],
      )}
      {above}
      {all.length > 0 && <ListFilter hasHidden={all.some((one) => passes(one, 'hidden'))} />}
      {isLoading && <Skeleton />}
      {!isLoading && all.length === 0 && <NoRooms />}
      {all.length > 0 && shown.length === 0 && <Empty title={t.noneListed} />}
      <Rows shown={shown} current={current} />
      {children}
    </nav>
  )
}

function ListHeader() {
  const t = texts.value
  const { user } = usePresent()
  return (
    <header class="pane-header">
      <ListMenu />
      {brand.logo !== '' && <img class="logo small" src={brand.logo} alt="" width="28" height="28" />}
      <h1>
        <Name text={brand.name} />
      </h1>
      <ListTools />
      <button
        type="button"
        class="button quiet round"
        onClick={() => openDialog('account')}
        aria-label={t.accountOf(user)}
        title={t.account}
      >
        <PersonAvatar user={user} size="small" />
      </button>
    </header>
  )
}

function Rows({ shown, current }: { shown: readonly RoomSummary[]; current: string | null }) {
  /** While the pointer is over the list, rooms keep their place under it. */
  const frozen = useSignal<readonly string[] | null>(null)
  const asked = useSignal<AskedMenu | null>(null)
  const rooms = inOrder(shown, frozen.value)
  const openMenu = useCallback((room: string, place: DOMRect) => (asked.value = { room, place }), [])
  const entry = rooms.some(({ room }) => room === current) ? current : rooms[0]?.room
  return (
    <>
      <ul
        class="room-list"
        onKeyDown={rove}
        onPointerEnter={() => (frozen.value = rooms.map(({ room }) => room))}
        onPointerLeave={() => (frozen.value = null)}
      >
        {rooms.map((summary) => (
          <RoomRow
            key={summary.room}
            summary={summary}
            isCurrent={summary.room === current}
            isEntry={summary.room === entry}
            openMenu={openMenu}
            minute={Math.floor(Date.now() / 60_000)}
          />
        ))}
      </ul>
      {asked.value && <RoomMenu {...asked.value} current={current} close={() => (asked.value = null)} />}
    </>
  )
}

/** For who has just come. Where there is space it stands in the place of the room. */
function NoRooms() {
  const t = texts.value
  return (
    <div class="empty no-rooms">
      <h2>{t.noRooms}</h2>
      <p>{t.noRoomsHint}</p>
      <button type="button" class="button primary" onClick={() => openDialog('find')}>
        {t.findRoom}
      </button>
      <button type="button" class="button" onClick={() => openDialog('new')}>
        {t.newRoom}
      </button>
      <button type="button" class="button" onClick={() => openDialog('direct')}>
        {t.newMessage}
      </button>
    </div>
  )
}

/** In place of rooms that are being fetched; styles show it after a moment only. */
function Skeleton() {
  return (
    <div class="skeleton" role="status">
      <span class="hidden-text">{texts.value.loading}</span>
      {[1, 2, 3, 4].map((n) => (
        <div key={n} class="skeleton-row" />
      ))}
    </div>
  )
}

/** Pinned ones first; those in `frozen` where they were. */
function inOrder(rooms: readonly RoomSummary[], frozen: readonly string[] | null): readonly RoomSummary[] {
  const sorted = [...rooms].sort((a, b) => Number(b.mine.pinned) - Number(a.mine.pinned))
  if (!frozen) return sorted
  const place = new Map(frozen.map((room, at) => [room, at]))
  return sorted.sort((a, b) => (place.get(a.room) ?? -1) - (place.get(b.room) ?? -1))
}
