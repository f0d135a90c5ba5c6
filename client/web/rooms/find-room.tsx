import { useState } from 'preact/hooks'
import type { CommandResult } from '../../../schemas/commands.js'
import { usePresent } from '../state/context.js'
import { pathTo } from '../state/router.js'
import { problemText } from '../text/problems.js'
import { texts } from '../text/text.js'
import { Avatar } from '../ui/avatar.js'
import { Dialog } from '../ui/dialog.js'
import { Link } from '../ui/link.js'
import { Name } from '../ui/name.js'
import { SearchField } from '../ui/search-field.js'
import { useLate } from '../ui/use-late.js'
import { useRequest } from '../ui/use-request.js'
import { dialogTexts } from './texts.js'
import { titleOf } from './titles.js'

type Found = CommandResult<'rooms.list'>['rooms'][number]

/** Rooms that anyone may join, or ask to join. */
export function FindRoom({ close }: { close: () => void }) {
  const t = dialogTexts.value
  const { chat } = usePresent()
  const [query, setQuery] = useState('')
  const asked = useLate(query.trim())
  const answer = useRequest(asked, async (signal) => {
    const scope = { scope: 'public', limit: 30 } as const
    return (await chat.ask.rooms.list(asked === '' ? scope : { ...scope, query: asked }, { signal })).rooms
  })
  return (
    <Dialog title={texts.value.findRoom} close={close}>
      <SearchField label={t.search} hint={t.findHint} value={query} change={setQuery} />
      <div class="results" aria-live="polite">
        {answer.state === 'failed' && <p class="error">{problemText(answer.error)}</p>}
        {answer.state === 'done' && answer.value.length === 0 && (
          <p class="hint">{asked === '' ? t.noPublicRooms : t.noRoomsFound}</p>
        )}
        {answer.state === 'done' && (
          <ul class="result-list">
            {answer.value.map((room) => (
              <FoundRoom key={room.room} room={room} close={close} />
            ))}
          </ul>
        )}
      </div>
    </Dialog>
  )
}

function FoundRoom({ room, close }: { room: Found; close: () => void }) {
  const t = dialogTexts.value
  const { user } = usePresent()
  const title = titleOf(room.room, room, user)
  return (
    <li>
      <Link to={pathTo('room', { room: room.room })} class="result" follow={close}>
        <Avatar id={room.room} name={title} picture={room.avatar} />
        <span class="result-title">
          <Name text={title} isLine />
        </span>
        <span class="result-more">
          {room.role === null ? texts.value.members(room.members) : t.joined}
          {room.role === null && room.access === 'request' && ` · ${t.byRequest}`}
          {room.topic && (
            <>
              {' · '}
              <Name text={room.topic} />
            </>
          )}
        </span>
      </Link>
    </li>
  )
}
