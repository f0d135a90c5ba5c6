import { pagesOf } from '../../index.js'
import { texts } from '../messages/texts.js'
import { QuotedLine } from '../room/quote.js'
import { usePresent } from '../state/context.js'
import { openPanel } from '../state/panel.js'
import { texts as shared } from '../text/text.js'
import { Empty } from '../ui/empty.js'
import { PageList } from '../ui/page-list.js'
import { Panel } from '../ui/panel.js'
import { PersonAvatar } from '../ui/person-avatar.js'
import { shortTimeOf } from '../ui/times.js'
import { usePages } from '../ui/use-pages.js'

/** The threads of a room, the one with the latest reply first. */
export default function ThreadsPanel({ room }: { room: string }) {
  const t = texts.value
  const { chat } = usePresent()
  const list = usePages(room, () => pagesOf(chat.ask.threads.list, { room }, 'threads'))
  return (
    <Panel title={shared.value.threads}>
      <PageList
        list={list}
        label={shared.value.threads}
        empty={<Empty title={t.noThreads} hint={t.noThreadsHint} />}
        row={({ message }, isEntry) => (
          <li key={message.seq}>
            <button
              type="button"
              class="result"
              data-entry
              tabIndex={isEntry ? 0 : -1}
              onClick={() => openPanel({ kind: 'thread', room, seq: message.seq })}
            >
              {'from' in message && <PersonAvatar user={message.from} />}
              <span class="result-title">
                <QuotedLine message={message} />
              </span>
              {'replies' in message && message.replies && (
                <span class="result-more">
                  {shared.value.replies(message.replies.count)} · {shortTimeOf(message.replies.lastTs)}
                </span>
              )}
            </button>
          </li>
        )}
      />
    </Panel>
  )
}
