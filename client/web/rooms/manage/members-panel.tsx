import { useState } from 'preact/hooks'
import { allows, type RoomRole } from '../../../../schemas/permissions.js'
import { usePresent } from '../../state/context.js'
import { signalOf } from '../../state/live.js'
import { openPanel } from '../../state/panel.js'
import { texts } from '../../text/text.js'
import { Icon } from '../../ui/icon.js'
import { Name } from '../../ui/name.js'
import { PageList } from '../../ui/page-list.js'
import { Panel } from '../../ui/panel.js'
import { PersonAvatar } from '../../ui/person-avatar.js'
import { SearchField } from '../../ui/search-field.js'
import { useAct } from '../../ui/use-act.js'
import { useLate } from '../../ui/use-late.js'
import { useList } from '../../ui/use-pages.js'
import { PresenceDot } from '../room-row.js'
import { dialogTexts } from '../texts.js'
import { useNameOf } from './person.js'
import { roomTexts } from './texts.js'

const PAGE = 50

/** The members of a room, with their roles and presence. */
export default function MembersPanel({ room }: { room: string }) {
  const t = roomTexts.value
  const [query, setQuery] = useState('')
  const asked = useLate(query.trim())
  return (
    <Panel title={t.members}>
      <SearchField label={t.searchMembers} value={query} change={setQuery} />
      <InviteButton room={room} />
      {asked === '' ? <All room={room} /> : <Found room={room} query={asked} />}
    </Panel>
  )
}

/** For who may invite. */
function InviteButton({ room }: { room: string }) {
  const { chat } = usePresent()
  const info = signalOf(chat.room(room).info).value
  if (!info || info.direct || info.role === null || !allows(info.role, 'invite')) return null
  return (
    <button type="button" class="button" onClick={() => openPanel({ kind: 'invite', room })}>
      <Icon name="plus" />
      {dialogTexts.value.invitePeople}
    </button>
  )
}

/** As they come and go. */
function All({ room }: { room: string }) {
  const { chat } = usePresent()
  const { list, count, more } = signalOf(chat.room(room).members).value
  const { run, isBusy: isLoading, error } = useAct()
  if (count === null) return <p class="loading">{texts.value.loading}</p>
  const next = (): void => void run(() => chat.room(room).moreMembers())
  return (
    <section class="section">
      <p class="hint">{texts.value.members(count)}</p>
      <PageList
        list={{ items: list, hasMore: more, isLoading, error, next }}
        empty={null}
        row={({ user, role }) => <MemberRow key={user} room={room} user={user} role={role} />}
      />
    </section>
  )
}

function Found({ room, query }: { room: string; query: string }) {
  const { chat } = usePresent()
  const list = useList<{ readonly user: string; readonly role: RoomRole }>(
    `${room} ${query}`,
    async (last, options) => {
      const page = { room, query, limit: PAGE, after: last?.user ?? '' }
      const { members, more } = await chat.ask.rooms.members(page, options)
      return { items: members, more }
    },
  )
  return (
    <section class="section" aria-live="polite">
      <PageList
        list={list}
        empty={<p class="hint">{roomTexts.value.noMembers}</p>}
        row={({ user, role }) => <MemberRow key={user} room={room} user={user} role={role} />}
      />
    </section>
  )
}

function MemberRow({ room, user, role }: { room: string; user: string; role: RoomRole }) {
  const t = roomTexts.value
  const { user: me } = usePresent()
  const name = useNameOf(user)
  return (
    <li>
      <button type="button" class="result" onClick={() => openPanel({ kind: 'person', room, user })}>
        <span class="avatar-place">
          <PersonAvatar user={user} />
          <PresenceDot user={user} />
        </span>
        <span class="result-title">
          <Name text={name} fallback={user} isLine />
        </span>
        <span class="result-more">
          <bdi>@{user}</bdi>
          {role !== 'member' && ` · ${t.roles[role]}`}
          {user === me && ` · ${t.you}`}
        </span>
      </button>
    </li>
  )
}
