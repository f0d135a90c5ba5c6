import type { Outgoing, SendInput, SendOptions } from '../../index.js'
import { useDraft } from './use-draft.js'
import type { View } from './view.js'

/** What is written in a composer, and what becomes of it: a new message, an answer, or an edit. */
export interface Writing {
  readonly text: string
  readonly isEdit: boolean
  /** What is edited has files, so that it may be without text. */
  readonly hasFiles: boolean
  write(text: string): void
  /** @throws ChatError it cannot be sent */
  send(message: SendInput, options?: SendOptions): Outgoing
  /** A message of its own, whatever is written or edited. @throws ChatError it cannot be sent */
  sendBeside(message: SendInput, options?: SendOptions): Outgoing
  /** Gives up the answer or the edit. What was written before an edit is there again. */
  cancel(): void
}

export function useWriting(view: View): Writing {
  const { room, thread, about } = view
  const [draft, setDraft] = useDraft(room.id, thread)
  const now = about.value
  const isEdit = now?.kind === 'edit'
  const cancel = (): void => {
    about.value = null
  }
  const sendBeside: Writing['sendBeside'] = (message, options) => {
    const sent = room.send(placed(message, view), options)
    if (!isEdit) cancel()
    return sent
  }
  return {
    text: isEdit ? now.text : draft,
    isEdit,
    hasFiles: isEdit && (now.rest.attachments?.length ?? 0) > 0,
    write(text) {
      if (isEdit) about.value = { ...now, text }
      else setDraft(text)
    },
    send(message, options) {
      if (!isEdit) {
        const sent = sendBeside(message, options)
        setDraft('')
        return sent
      }
      const sent = room.edit(now.target, { ...now.rest, ...message })
      cancel()
      return sent
    },
    sendBeside,
    cancel,
  }
}

function placed(message: SendInput, { thread, about }: View): SendInput {
  const now = about.peek()
  return {
    ...message,
    ...(now?.kind === 'reply' ? { replyTo: now.seq } : {}),
    ...(thread === null ? {} : { thread }),
  }
}
