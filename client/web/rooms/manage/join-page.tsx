import { useEffect } from 'preact/hooks'
import { usePresent } from '../../state/context.js'
import { signalOf } from '../../state/live.js'
import { fragment, navigate, pathTo } from '../../state/router.js'
import { Avatar } from '../../ui/avatar.js'
import { Empty } from '../../ui/empty.js'
import { Problem } from '../../ui/problem.js'
import { useRequest } from '../../ui/use-request.js'
import { useSubmit } from '../../ui/use-submit.js'
import { titleOf } from '../titles.js'
import { roomTexts } from './texts.js'

/** Where a link into a room leads. */
export default function JoinPage({ room = '' }: { room?: string }) {
  const link = fragment.value
  return <Joining key={`${room}#${link}`} room={room} link={link} />
}

/** What it is, as far as a stranger may know, and the button that joins. */
function Joining({ room, link }: { room: string; link: string }) {
  const t = roomTexts.value
  const { chat, user } = usePresent()
  const isMember = signalOf(chat.room(room).info).value !== null
  useEffect(() => {
    if (isMember) navigate(pathTo('room', { room }), { replace: true })
  }, [isMember])
  const answer = useRequest(room, (signal) => chat.ask.rooms.get({ room }, { signal }))
  const { submit, isBusy, error } = useSubmit(async () => void (await chat.room(room).join(link)))
  const isOver = error?.code === 'not_found' || error?.code === 'bad_request' || error?.field === 'link'
  if (isOver || link === '') return <Empty title={t.linkOver} hint={t.linkOverHint} isBack />
  // A private room says nothing of itself to who is not in it.
  const title = titleOf(room, answer.state === 'done' ? answer.value : null, user)
  return (
    <form class="empty" onSubmit={submit}>
      <Avatar id={room} name={title} picture={answer.state === 'done' ? answer.value.avatar : null} size="large" />
      <h1>
        <bdi>{title}</bdi>
      </h1>
      <p>{t.joinAsk}</p>
      <Problem error={error} told={{ conflict: t.problems.full, forbidden: t.problems.notIn }} />
      <button type="submit" class="button primary" aria-disabled={isBusy}>
        {roomTexts.value.join}
      </button>
    </form>
  )
}
