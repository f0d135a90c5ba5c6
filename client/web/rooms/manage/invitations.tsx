import { useRef } from 'preact/hooks'
import type { Invitation } from '../../../index.js'
import { usePresent } from '../../state/context.js'
import { signalOf } from '../../state/live.js'
import { navigate, pathTo } from '../../state/router.js'
import { Avatar } from '../../ui/avatar.js'
import { useKeptFocus } from '../../ui/kept-focus.js'
import { Name } from '../../ui/name.js'
import { Problem } from '../../ui/problem.js'
import { useAct } from '../../ui/use-act.js'
import { titleOf } from '../titles.js'
import { PersonName } from './person.js'
import { roomTexts } from './texts.js'

/** At the top of the list: into which rooms the user is invited. */
export default function Invitations() {
  const { chat } = usePresent()
  const list = useRef<HTMLUListElement>(null)
  useKeptFocus(list)
  return (
    <ul class="invitations" ref={list} tabIndex={-1} aria-label={roomTexts.value.myInvitations}>
      {signalOf(chat.invitations).value.map((invitation) => (
        <InvitationCard key={invitation.room} invitation={invitation} />
      ))}
    </ul>
  )
}

function InvitationCard({ invitation: { room, by, info } }: { invitation: Invitation }) {
  const t = roomTexts.value
  const { chat, user } = usePresent()
  const { run, isBusy, error } = useAct()
  const title = titleOf(room, info, user)
  const accept = async (): Promise<void> => {
    await chat.room(room).join()
    navigate(pathTo('room', { room }))
  }
  return (
    <li class="card">
      <div class="result">
        <Avatar id={room} name={title} picture={info?.avatar} />
        <span class="result-title">
          <Name text={title} isLine />
        </span>
        <span class="result-more">
          {t.invitedBy} <PersonName user={by} />
        </span>
      </div>
      <Problem error={error} told={{ conflict: t.problems.full }} />
      <div class="actions">
        <button
          type="button"
          class="button small"
          aria-label={`${t.decline}: ${title}`}
          aria-disabled={isBusy}
          onClick={() => void run(() => chat.ask.rooms.decline({ room }))}
        >
          {t.decline}
        </button>
        <button
          type="button"
          class="button small primary"
          aria-label={`${roomTexts.value.join}: ${title}`}
          aria-disabled={isBusy}
          onClick={() => void run(accept)}
        >
          {roomTexts.value.join}
        </button>
      </div>
    </li>
  )
}
