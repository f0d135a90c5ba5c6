/** What can be done with a message. */

import { pathTo } from '../state/router.js'
import { problemText } from '../text/problems.js'
import { texts } from '../text/text.js'
import { confirm } from '../ui/confirm.js'
import type { MenuItem } from '../ui/menu.js'
import { showToast } from '../ui/toast.js'
import { asChatError } from '../ui/use-request.js'
import { edit, mayEdit, openThread, reply } from './message-actions.js'
import { openDialogOf } from './message-dialogs.js'
import { type ShownMessage, targetOf } from './shown-message.js'
import { toolTexts } from './texts.js'
import type { View } from './view.js'

/** Offered or not, by the message and who looks at it. */
interface Action extends MenuItem {
  readonly isOffered: boolean
}

/** Those of the menu of a message. What the broker refuses all the same is said beside the message. */
export function actionsOf(item: ShownMessage, view: View): readonly MenuItem[] {
  return all(item, view).filter(({ isOffered }) => isOffered)
}

function all(item: ShownMessage, view: View): readonly Action[] {
  const t = toolTexts.value
  const { message, own } = item
  const isInRoom = message.seq > 0
  const isDirect = view.room.id.startsWith('dm:')
  const mayChange = own || (view.isModerator && !isDirect)
  return [
    { icon: 'reply', text: t.reply, isOffered: isInRoom, act: () => reply(item, view) },
    {
      icon: 'thread',
      text: t.replyInThread,
      isOffered: isInRoom && view.thread === null && message.thread === undefined,
      act: () => openThread(item, view),
    },
    { icon: 'edit', text: t.edit, isOffered: own && mayEdit(item), act: () => edit(item, view) },
    {
      icon: 'clock',
      text: t.earlierVersions,
      isOffered: isInRoom && (message.edits ?? 0) > 0,
      act: () => openDialogOf({ kind: 'edits', view, seq: message.seq }),
    },
    {
      icon: 'copy',
      text: t.copyText,
      isOffered: isSecureContext && !!message.text,
      act: () => copy(message.text ?? ''),
    },
    { icon: 'link', text: t.copyLink, isOffered: isSecureContext && isInRoom, act: () => copy(linkTo(item, view)) },
    {
      icon: 'unread',
      text: t.markUnread,
      isOffered: isInRoom && !own && view.thread === null,
      act: () => void view.room.markUnread(message.seq).catch(tellWhy),
    },
    {
      icon: 'onward',
      text: t.forwardMessage,
      isOffered: isInRoom,
      act: () => openDialogOf({ kind: 'forward', message }),
    },
    { icon: 'bookmark', text: t.saveMessage, isOffered: isInRoom, act: () => void save(item, view) },
    {
      icon: 'pin',
      text: message.pinned ? t.unpinMessage : t.pinMessage,
      isOffered: isInRoom && message.thread === undefined && (view.isModerator || isDirect),
      act: () => view.room.pin(message.seq, !message.pinned),
    },
    {
      icon: 'flag',
      text: t.reportMessage,
      isOffered: isInRoom && !own,
      act: () => openDialogOf({ kind: 'report', room: view.room.id, seq: message.seq }),
    },
    { icon: 'delete', text: t.deleteMessage, isDanger: true, isOffered: mayChange, act: () => void remove(item, view) },
  ]
}

async function save({ message }: ShownMessage, { room }: View): Promise<void> {
  try {
    await room.core.ask.saved.add({ room: room.id, seq: message.seq })
    showToast(toolTexts.value.savedMessage)
  } catch (error) {
    tellWhy(error)
  }
}

function tellWhy(error: unknown): void {
  showToast(problemText(asChatError(error)))
}

async function remove(item: ShownMessage, view: View): Promise<void> {
  const t = toolTexts.value
  const text = item.own ? t.deleteOwnHint : t.deleteOthersHint
  if (await confirm({ title: t.deleteTitle, text, yes: texts.value.delete, isDanger: true }))
    view.room.remove(targetOf(item))
}

function linkTo({ message }: ShownMessage, view: View): string {
  return location.origin + pathTo('message', { room: view.room.id, seq: message.seq })
}

/** Browsers let nobody copy where the connection is no secure one. */
function copy(text: string): void {
  const t = texts.value
  navigator.clipboard.writeText(text).then(
    () => showToast(t.copied),
    () => showToast(t.problems.other),
  )
}
