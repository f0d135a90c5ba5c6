import type { View } from '../room/view.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { AnswerView } from '../ui/answer-view.js'
import { Dialog } from '../ui/dialog.js'
import { Name } from '../ui/name.js'
import { PersonAvatar } from '../ui/person-avatar.js'
import { useRequest } from '../ui/use-request.js'
import { texts } from './texts.js'

interface WhoReactedProps {
  readonly view: View
  readonly seq: number
  readonly close: () => void
}

/** Who reacted to a message, and with what: the first thousand. */
export function WhoReacted({ view, seq, close }: WhoReactedProps) {
  const t = texts.value
  const { chat } = usePresent()
  const item = view.bySeq.value.get(seq)
  // Asked again when somebody joins, or takes theirs back.
  const counts = item?.kind === 'message' ? (item.message.reactions ?? []) : []
  const answer = useRequest(`${view.room.id}/${seq} ${JSON.stringify(counts)}`, (signal) =>
    chat.ask.reactions({ room: view.room.id, seq, limit: 1000 }, { signal }),
  )
  return (
    <Dialog title={t.whoReacted} close={close}>
      <div class="results">
        <AnswerView answer={answer}>
          {({ reactions }) =>
            reactions.length === 0 ? (
              <p class="loading">{t.noReactions}</p>
            ) : (
              reactions.map(({ user, emoji }) => (
                <div key={user} class="result">
                  <Person user={user} />
                  <span class="result-more">{emoji.join(' ')}</span>
                </div>
              ))
            )
          }
        </AnswerView>
      </div>
    </Dialog>
  )
}

function Person({ user }: { user: string }) {
  const { chat } = usePresent()
  const name = signalOf(chat.users.profile(user)).value?.name ?? user
  return (
    <>
      <PersonAvatar user={user} />
      <span class="result-title">
        <Name text={name} fallback={user} />
      </span>
    </>
  )
}
