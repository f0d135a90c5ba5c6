import type { FoldedMessage } from '../../../schemas/commands/shown-message.js'
import type { Outgoing } from '../../index.js'
import { Attachments } from '../files/attachments.js'
import type { Present } from '../state/context.js'
import { ForwardedLine } from './forwarded-line.js'
import { MessageData } from './message-data.js'
import { textOf } from './message-text.js'

const NOBODY: readonly string[] = []

/** What a message says. It is text, whatever it says. */
export function bodyOf(message: FoldedMessage, outgoing: Outgoing | undefined, present: Present) {
  const { text, attachments = [] } = message
  if (!text && attachments.length === 0) return <MessageData message={message} />
  return (
    <>
      {message.forwarded && <ForwardedLine forwarded={message.forwarded} />}
      {attachments.length > 0 && <Attachments message={message} outgoing={outgoing} />}
      {text && textOf(text, message.mentions ?? NOBODY, present)}
    </>
  )
}
