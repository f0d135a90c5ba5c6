/** What a message and its composer share: what is written is about a message, or in its thread. */

import { openPanel } from '../state/panel.js'
import { server } from '../state/server.js'
import { texts } from '../text/text.js'
import { confirm } from '../ui/confirm.js'
import { type ShownMessage, targetOf } from './shown-message.js'
import type { View } from './view.js'

export function reply({ message }: ShownMessage, view: View): void {
  afterEdit(view, () => {
    view.about.value = { kind: 'reply', seq: message.seq }
  })
}

export function openThread({ message }: ShownMessage, view: View): void {
  openPanel({ kind: 'thread', room: view.room.id, seq: message.seq })
}

export function edit(item: ShownMessage, view: View): void {
  const { message } = item
  const { text = '', attachments, data, mentions } = message
  const rest = {
    ...(attachments && { attachments }),
    ...(data !== undefined && { data }),
    ...(mentions && { mentions }),
  }
  afterEdit(view, () => {
    view.about.value = { kind: 'edit', target: targetOf(item), text, was: text, rest }
  })
}

/** What was changed of another message, and not sent, is not lost without a question. */
function afterEdit({ about }: View, act: () => void): void {
  const t = texts.value
  const now = about.peek()
  if (now?.kind !== 'edit' || now.text === now.was) return act()
  const question = { title: t.discardTitle, text: t.editing, yes: t.discard, isDanger: true }
  void confirm(question).then((isYes) => isYes && act())
}

/** The last own message that is shown and can be edited. */
export function lastOwn(view: View): ShownMessage | null {
  const found = view.items.peek().findLast((item) => item.kind === 'message' && item.own && mayEdit(item))
  return (found as ShownMessage | undefined) ?? null
}

/** Not for ever, where the server says so. */
export function mayEdit({ message }: ShownMessage): boolean {
  const window = server.peek()?.limits.editWindow ?? 0
  const isText = message.text !== undefined && message.forwarded === undefined
  return isText && (window === 0 || Date.now() - message.ts < window * 1000)
}
