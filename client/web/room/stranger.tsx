import type { RoomInfo } from '../../index.js'
import { roomTexts } from '../rooms/manage/texts.js'
import { WaysIn } from '../rooms/manage/ways-in.js'
import { titleOf } from '../rooms/titles.js'
import { usePresent } from '../state/context.js'
import { problemText } from '../text/problems.js'
import { texts } from '../text/text.js'
import { Avatar } from '../ui/avatar.js'
import { Empty } from '../ui/empty.js'
import { Link } from '../ui/link.js'
import { Name } from '../ui/name.js'
import { useRequest } from '../ui/use-request.js'

/** A room that the user is not in: what it is, and how to come in. */
export default function Stranger({ id }: { id: string }) {
  const t = texts.value
  const { chat } = usePresent()
  const answer = useRequest(id, (signal) => chat.ask.rooms.get({ room: id }, { signal }))
  if (answer.state === 'loading') return <p class="loading late">{t.loading}</p>
  if (answer.state === 'failed') {
    const isUnknown = answer.error.code === 'not_found' || answer.error.code === 'bad_request'
    if (isUnknown) return <Empty title={roomTexts.value.noSuchRoom} hint={roomTexts.value.noSuchRoomHint} isBack />
    return (
      <Empty title={problemText(answer.error)} isBack>
        <button type="button" class="button" onClick={answer.again}>
          {t.retry}
        </button>
      </Empty>
    )
  }
  return <Known id={id} info={answer.value} />
}

function Known({ id, info }: { id: string; info: RoomInfo }) {
  const t = texts.value
  const { user } = usePresent()
  const title = titleOf(id, info, user)
  return (
    <div class="empty">
      <Avatar id={id} name={title} picture={info.avatar} size="large" />
      <h1>
        <Name text={title} />
      </h1>
      {info.topic && (
        <p>
          <Name text={info.topic} />
        </p>
      )}
      <p>{t.members(info.members)}</p>
      {info.archived ? <p class="notice">{roomTexts.value.closed}</p> : <WaysIn id={id} info={info} />}
      <Link to="/" class="button only-narrow">
        {t.rooms}
      </Link>
    </div>
  )
}
