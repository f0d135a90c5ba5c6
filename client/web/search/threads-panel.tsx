import { pagesOf } from '../../index.js'
import { usePresent } from '../state/context.js'
import { texts } from '../text/text.js'
import { Empty } from '../ui/empty.js'
import { PageList } from '../ui/page-list.js'
import { Panel } from '../ui/panel.js'
import { usePages } from '../ui/use-pages.js'
import { FoundMessage, FoundNothing } from './found-message.js'
import { openThread } from './open-thread.js'
import { searchTexts } from './texts.js'

/** The threads that the user follows, over all rooms, with what is new in each. */
export default function FollowedPanel() {
  const t = searchTexts.value
  const { chat } = usePresent()
  const list = usePages('', () => pagesOf(chat.ask.threads.followed, {}, 'threads'))
  return (
    <Panel title={t.threads}>
      <PageList
        list={list}
        label={t.threads}
        empty={<Empty title={t.noThreads} hint={t.noThreadsHint} />}
        row={({ room, thread, message, unread }, isEntry) =>
          'gone' in message ? (
            <FoundNothing
              key={`${room}/${thread}`}
              room={room}
              why={texts.value.gone[message.gone]}
              isEntry={isEntry}
            />
          ) : (
            <FoundMessage
              key={message.id}
              room={room}
              message={message}
              isEntry={isEntry}
              open={() => openThread(room, thread)}
              mark={<Replies count={message.replies?.count ?? 0} unread={unread} />}
            />
          )
        }
      />
    </Panel>
  )
}

function Replies({ count, unread }: { count: number; unread: number }) {
  const t = searchTexts.value
  return unread > 0 ? (
    <span class="badge">{t.unreadReplies(unread)}</span>
  ) : (
    <span class="hint">{t.replies(count)}</span>
  )
}
