import type { ComponentChildren } from 'preact'
import { useMemo } from 'preact/hooks'
import type { FoldedMessage } from '../../../schemas/commands/shown-message.js'
import { peerOf, previewOf, titleOf } from '../rooms/titles.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { pathTo } from '../state/router.js'
import { texts } from '../text/text.js'
import { Link } from '../ui/link.js'
import { Name } from '../ui/name.js'
import { PersonAvatar } from '../ui/person-avatar.js'
import { fullTimeOf, shortTimeOf } from '../ui/times.js'
import { excerptOf } from './hits.js'

interface FoundMessageProps {
  readonly room: string
  readonly message: FoldedMessage
  readonly isEntry: boolean
  /** Leads there, in place of the address alone. */
  readonly open?: () => void
  /** Its words are marked. */
  readonly query?: string
  /** Stands beside the time. */
  readonly mark?: ComponentChildren
  /** Stands below the text. */
  readonly children?: ComponentChildren
}

/** A message of any room, with who wrote it where; it leads there. */
export function FoundMessage({ room, message, isEntry, open, query = '', mark, children }: FoundMessageProps) {
  const { user, chat } = usePresent()
  const { from, ts, seq } = message
  const profile = signalOf(chat.users.profile(from)).value
  const name = profile?.name ?? from
  return (
    <li class="found">
      <Link
        to={pathTo('message', { room, seq })}
        class="found-link"
        isEntry
        tabIndex={isEntry ? 0 : -1}
        {...(open && { open })}
      >
        <PersonAvatar user={from} size="small" />
        <span class="found-head">
          <strong>
            <Name text={from === user ? texts.value.you : name} fallback={from} />
          </strong>
          <RoomName room={room} />
        </span>
        {mark}
        <time dateTime={new Date(ts).toISOString()} title={fullTimeOf(ts)}>
          {shortTimeOf(ts)}
        </time>
        <span class="found-text" dir="auto">
          <Excerpt message={message} query={query} />
        </span>
      </Link>
      {children}
    </li>
  )
}

interface FoundNothingProps {
  readonly room: string
  /** Why the message is not shown. */
  readonly why: string
  readonly isEntry: boolean
  readonly children?: ComponentChildren
}

/** In place of a message that is not there any more. */
export function FoundNothing({ room, why, isEntry, children }: FoundNothingProps) {
  return (
    <li class="found">
      <div class="found-link" data-entry tabIndex={isEntry ? 0 : -1}>
        <span class="found-head">
          <RoomName room={room} />
        </span>
        <span class="found-text">{why}</span>
      </div>
      {children}
    </li>
  )
}

/** In which room it is; of a conversation the other person is named. */
function RoomName({ room }: { room: string }) {
  const { user, chat } = usePresent()
  const info = signalOf(chat.room(room).info).value
  const title = titleOf(room, info, user)
  return <Name text={peerOf(room, user) === null ? `# ${title}` : `@ ${title}`} isLine />
}

function Excerpt({ message, query }: { message: FoldedMessage; query: string }) {
  const names = (message.attachments ?? []).map(({ name }) => name ?? '').filter((name) => name !== '')
  const said = [message.text ?? '', ...names].filter((text) => text !== '').join(' · ')
  const text = said === '' ? previewOf(message) : said
  const pieces = useMemo(() => excerptOf(text, query), [text, query])
  return <>{pieces.map(({ at, text, isHit }) => (isHit ? <mark key={at}>{text}</mark> : text))}</>
}
