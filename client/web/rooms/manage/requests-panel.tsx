import type { CommandResult } from '../../../../schemas/commands.js'
import { usePresent } from '../../state/context.js'
import { PageList } from '../../ui/page-list.js'
import { Panel } from '../../ui/panel.js'
import { Problem } from '../../ui/problem.js'
import { momentOf } from '../../ui/times.js'
import { useAct } from '../../ui/use-act.js'
import { useList } from '../../ui/use-pages.js'
import { useNameOf } from './person.js'
import { PersonEntry } from './person-entry.js'
import { roomTexts } from './texts.js'
import { useRoomNews } from './use-room-news.js'

type JoinRequest = CommandResult<'rooms.requests'>['requests'][number]

const PAGE = 50

/** Who asks to join a room. */
export default function RequestsPanel({ room }: { room: string }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const list = useList<JoinRequest>(room, async (last, options) => {
    const page = { room, limit: PAGE, after: last?.user ?? '' }
    const { requests, more } = await chat.ask.rooms.requests(page, options)
    return { items: requests, more }
  })
  useRoomNews(room, ['requested', 'withdrawn', 'joined', 'denied'], list.reload)
  return (
    <Panel title={t.requests}>
      <div class="section">
        <PageList
          list={list}
          empty={<p class="hint">{t.noRequests}</p>}
          row={(request) => (
            <RequestRow key={request.user} room={room} request={request} done={() => list.drop(request)} />
          )}
        />
      </div>
    </Panel>
  )
}

function RequestRow({ room, request, done }: { room: string; request: JoinRequest; done: () => void }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const { run, isBusy, error } = useAct()
  const { user, at, message } = request
  const name = useNameOf(user)
  const decide = (act: (params: { room: string; user: string }) => Promise<unknown>) => async () => {
    await act({ room, user })
    done()
  }
  return (
    <li class="card">
      <PersonEntry
        user={user}
        name={name}
        more={
          <>
            <bdi>@{user}</bdi> · {momentOf(at)}
          </>
        }
      />
      {message && (
        <p>
          <bdi>{message}</bdi>
        </p>
      )}
      <Problem error={error} told={{ not_found: t.problems.done, conflict: t.problems.full }} />
      <div class="actions">
        <button
          type="button"
          class="button"
          aria-label={`${t.turnAway}: ${name}`}
          aria-disabled={isBusy}
          onClick={() => void run(decide(chat.ask.rooms.deny))}
        >
          {t.turnAway}
        </button>
        <button
          type="button"
          class="button primary"
          aria-label={`${t.letIn}: ${name}`}
          aria-disabled={isBusy}
          onClick={() => void run(decide(chat.ask.rooms.approve))}
        >
          {t.letIn}
        </button>
      </div>
    </li>
  )
}
