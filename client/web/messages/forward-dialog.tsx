import { useState } from 'preact/hooks'
import type { ShownMessage } from '../room/shown-message.js'
import { previewOf, titleOf } from '../rooms/titles.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { problemText } from '../text/problems.js'
import { Dialog } from '../ui/dialog.js'
import { Field } from '../ui/field.js'
import { Name } from '../ui/name.js'
import { showToast } from '../ui/toast.js'
import { asChatError } from '../ui/use-request.js'
import { texts } from './texts.js'

interface ForwardDialogProps {
  readonly message: ShownMessage['message']
  readonly close: () => void
}

/** Sends a message to conversations of the user, with a comment after it. */
export function ForwardDialog({ message, close }: ForwardDialogProps) {
  const t = texts.value
  const { chat } = usePresent()
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [comment, setComment] = useState('')
  const toggle = (room: string): void => {
    const next = new Set(chosen)
    if (!next.delete(room)) next.add(room)
    setChosen(next)
  }
  const forward = (event: Event): void => {
    event.preventDefault()
    if (chosen.size === 0) return
    for (const room of chosen) {
      const { sent } = chat.room(message.room).forward(message.seq, room)
      sent.catch((error: unknown) => showToast(problemText(asChatError(error))))
      if (comment.trim()) chat.send(room, comment.trim())
    }
    showToast(t.forwarded)
    close()
  }
  return (
    <Dialog title={t.forwardTo} close={close}>
      <form class="form" onSubmit={forward}>
        <p class="hint">
          <Name text={previewOf(message)} isLine />
        </p>
        <Conversations chosen={chosen} toggle={toggle} />
        <Field label={t.comment} hint={t.commentHint} value={comment} change={setComment} input={{ dir: 'auto' }} />
        <div class="actions">
          <button type="submit" class="button primary" aria-disabled={chosen.size === 0}>
            {chosen.size === 0 ? t.forward : t.forwardNow(chosen.size)}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

interface ConversationsProps {
  readonly chosen: ReadonlySet<string>
  readonly toggle: (room: string) => void
}

function Conversations({ chosen, toggle }: ConversationsProps) {
  const t = texts.value
  const { chat, user } = usePresent()
  const [query, setQuery] = useState('')
  const wanted = query.trim().toLocaleLowerCase()
  const found = signalOf(chat.rooms)
    .value.filter(({ info }) => !info.archived)
    .map(({ room, info }) => ({ room, title: titleOf(room, info, user) }))
    .filter(({ room, title }) => `${title} ${room}`.toLocaleLowerCase().includes(wanted))
  return (
    <>
      <Field label={t.findConversation} value={query} change={setQuery} input={{ type: 'search', dir: 'auto' }} />
      <ul class="results">
        {found.map(({ room, title }) => (
          <li key={room}>
            <label class="choice">
              <input type="checkbox" checked={chosen.has(room)} onChange={() => toggle(room)} />
              <Name text={title} />
            </label>
          </li>
        ))}
        {found.length === 0 && <li class="hint">{t.noConversation}</li>}
      </ul>
    </>
  )
}
