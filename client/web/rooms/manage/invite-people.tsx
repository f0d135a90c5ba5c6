import { useState } from 'preact/hooks'
import { ChatError, type Profile } from '../../../index.js'
import { usePresent } from '../../state/context.js'
import { PageList } from '../../ui/page-list.js'
import { Problem } from '../../ui/problem.js'
import { SearchField } from '../../ui/search-field.js'
import { useAct } from '../../ui/use-act.js'
import { useLate } from '../../ui/use-late.js'
import { useList } from '../../ui/use-pages.js'
import { PersonEntry } from './person-entry.js'
import { roomTexts } from './texts.js'
import { memberOf } from './use-member.js'
import { useRoomNews } from './use-room-news.js'

const PAGE = 20

/** Finds people, and invites them. */
export function InvitePeople({ room }: { room: string }) {
  const t = roomTexts.value
  const [query, setQuery] = useState('')
  const asked = useLate(query.trim())
  return (
    <section class="section">
      <h3>{t.invite}</h3>
      <SearchField label={t.inviteWhom} hint={t.inviteHint} value={query} change={setQuery} />
      {asked !== '' && <Found room={room} query={asked} />}
    </section>
  )
}

function Found({ room, query }: { room: string; query: string }) {
  const { chat, user: me } = usePresent()
  const list = useList<Profile>(query, async (last, options) => {
    const page = { query, limit: PAGE, after: last?.user ?? '' }
    const { users, more } = await chat.ask.users.search(page, options)
    return { items: users, more }
  })
  return (
    <div aria-live="polite">
      <PageList
        list={{ ...list, items: list.items.filter(({ user }) => user !== me) }}
        empty={<p class="hint">{roomTexts.value.nobody}</p>}
        row={(profile) => <PersonRow key={profile.user} room={room} profile={profile} />}
      />
    </div>
  )
}

function PersonRow({ room, profile: { user, name } }: { room: string; profile: Profile }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const { run, isBusy, error } = useAct()
  const [isInvited, setInvited] = useState(false)
  const invite = async (): Promise<void> => {
    await chat.ask.rooms.invite({ room, user })
    setInvited(true)
  }
  useRoomNews(room, ['joined'], (event) => event.user === user && setInvited(false))
  const takeBack = async (): Promise<void> => {
    // The same request would remove a member, who may have joined where that was not heard.
    const isMember = await memberOf(chat, room, user)
    if (!isMember) await chat.ask.rooms.remove({ room, user })
    setInvited(false)
    if (isMember) throw new ChatError('conflict', `${user} has joined`)
  }
  const act = isInvited ? t.takeBack : t.invite
  return (
    <li>
      <PersonEntry
        user={user}
        name={name ?? user}
        more={
          <>
            <bdi>@{user}</bdi>
            {isInvited && ` · ${t.invited}`}
          </>
        }
      >
        <button
          type="button"
          class="button small"
          aria-label={`${act}: ${name ?? user}`}
          aria-disabled={isBusy}
          onClick={() => void run(isInvited ? takeBack : invite)}
        >
          {act}
        </button>
      </PersonEntry>
      <Problem error={error} told={{ conflict: t.isMember, forbidden: t.problems.noInvites }} />
    </li>
  )
}
