import { texts } from '../text/text.js'
import { Icon } from '../ui/icon.js'
import { PersonAvatar } from '../ui/person-avatar.js'
import { shortTimeOf } from '../ui/times.js'
import { openThread } from './message-actions.js'
import type { ShownMessage } from './shown-message.js'
import { useView } from './view.js'

/** Under a message that began a thread: how many replies it has, of whom, and the way to them. */
export function Replies({ item }: { item: ShownMessage }) {
  const t = texts.value
  const view = useView()
  const { replies } = item.message
  if (view.thread !== null || !replies?.count) return null
  return (
    <button type="button" class="replies" onClick={() => openThread(item, view)}>
      <span class="replies-who">
        {replies.users.map((user) => (
          <PersonAvatar key={user} user={user} size="tiny" />
        ))}
      </span>
      <strong>{t.replies(replies.count)}</strong>
      <span>{shortTimeOf(replies.lastTs)}</span>
      <Icon name="back" mirrored />
    </button>
  )
}
