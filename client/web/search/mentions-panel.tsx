import { useEffect, useState } from 'preact/hooks'
import type { FoldedMessage } from '../../../schemas/commands/shown-message.js'
import { pagesOf } from '../../index.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { Empty } from '../ui/empty.js'
import { PageList } from '../ui/page-list.js'
import { Panel } from '../ui/panel.js'
import { usePages } from '../ui/use-pages.js'
import { FoundMessage } from './found-message.js'
import { searchTexts } from './texts.js'

/** The messages that mention the user, over all rooms; one that comes meanwhile is among them. */
export default function MentionsPanel() {
  const t = searchTexts.value
  const { chat } = usePresent()
  const [heard, setHeard] = useState(0)
  useEffect(() => chat.on('mention', () => setHeard((count) => count + 1)), [chat])
  const rooms = signalOf(chat.rooms).value
  /** What was read since it was asked for is known by the room; of threads the broker alone knows. */
  const isRead = (room: string, { seq, thread }: FoldedMessage): boolean =>
    thread === undefined && seq <= (rooms.find((one) => one.room === room)?.read ?? 0)
  const list = usePages(String(heard), () => pagesOf(chat.ask.mentions.list, {}, 'mentions'))
  return (
    <Panel title={t.mentions}>
      <PageList
        list={list}
        label={t.mentions}
        empty={<Empty title={t.noMentions} hint={t.noMentionsHint} />}
        row={({ room, read, message }, isEntry) => (
          <FoundMessage
            key={message.id}
            room={room}
            message={message}
            isEntry={isEntry}
            mark={!read && !isRead(room, message) && <NotRead />}
          />
        )}
      />
    </Panel>
  )
}

function NotRead() {
  return (
    <span class="not-read">
      <span class="hidden-text">{searchTexts.value.notRead}</span>
    </span>
  )
}
