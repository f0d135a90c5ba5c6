/** Messages as they are now: each with the edits, deletions, reactions, pins and replies that came after it. */
import type { FoldedMessage, GoneMessage, LoggedMessage, SentMessage } from '../../schemas/commands/shown-message.js'
import type { ReactionData } from '../../schemas/message.js'

/** A message that changes another one, its target. */
export type Change = SentMessage & { readonly target: number }

export function isChange(message: SentMessage): message is Change {
  return message.target !== undefined
}

export function isGone(message: LoggedMessage): message is GoneMessage {
  return 'gone' in message
}

/** When it ends by its `ttl`, Unix ms of the broker; undefined: never. */
export function endOf(message: LoggedMessage): number | undefined {
  return isGone(message) || message.ttl === undefined ? undefined : message.ts + message.ttl * 1000
}

/** Counts go up to this, which stands for as many or more. */
export const MOST_COUNTED = 100
/** The last authors of replies that are named. */
const MOST_AUTHORS = 3

/** The message with `change`; the same one, if it has that already, or is gone. `me`: who looks at it. */
export function applyChange(message: LoggedMessage, change: Change, me: string): LoggedMessage {
  if (isGone(message)) return message
  // A deletion cannot be missed: of what is deleted nothing else is told.
  if (change.type === 'delete') {
    const { seq, thread } = message
    return { seq, gone: 'deleted', by: change.from, at: change.ts, ...(thread && { thread }) }
  }
  if (change.seq <= (message.asOf ?? message.seq)) return message
  return { ...changed(message, change, me), asOf: change.seq }
}

function changed(message: FoldedMessage, change: Change, me: string): FoldedMessage {
  switch (change.type) {
    case 'edit':
      return edited(message, change)
    case 'reaction':
      return withReaction(message, change.data as ReactionData, change.from === me)
    case 'pin':
      return { ...message, pinned: { by: change.from, at: change.ts } }
    case 'unpin': {
      const { pinned: _, ...unpinned } = message
      return unpinned
    }
    default:
      return message
  }
}

/** An edit replaces the content as a whole. */
function edited(message: FoldedMessage, edit: Change): FoldedMessage {
  const { text: _, attachments: __, data: ___, mentions: ____, ...kept } = message
  const { text, attachments, data, mentions } = edit
  return {
    ...kept,
    ...(text === undefined ? {} : { text }),
    ...(attachments === undefined ? {} : { attachments }),
    ...(data === undefined ? {} : { data }),
    ...(mentions === undefined ? {} : { mentions }),
    edits: (message.edits ?? 0) + 1,
    editedAt: edit.ts,
    editedBy: edit.from,
  }
}

function withReaction(message: FoldedMessage, { emoji, remove = false }: ReactionData, isMine: boolean): FoldedMessage {
  const { reactions = [], ...rest } = message
  const known = reactions.some((one) => one.emoji === emoji)
  const all = known ? reactions : [...reactions, { emoji, count: 0, me: false }]
  const counted = all.map((one) =>
    one.emoji === emoji ? { emoji, count: one.count + (remove ? -1 : 1), me: isMine ? !remove : one.me } : one,
  )
  const left = counted.filter(({ count }) => count > 0)
  return left.length > 0 ? { ...rest, reactions: left } : rest
}

/** The message that began a thread, with one more reply; the same one, if that is counted already. */
export function countReply(root: LoggedMessage, reply: SentMessage): LoggedMessage {
  if (isGone(root)) return root
  const { count, lastSeq, users } = root.replies ?? { count: 0, lastSeq: root.seq, users: [] }
  if (reply.seq <= lastSeq) return root
  const authors = [reply.from, ...users.filter((user) => user !== reply.from)].slice(0, MOST_AUTHORS)
  const replies = { count: Math.min(count + 1, MOST_COUNTED), lastSeq: reply.seq, lastTs: reply.ts, users: authors }
  return { ...root, replies }
}

/** The messages that `entries` delete. */
export function deletedBy(entries: readonly SentMessage[]): number[] {
  return entries.flatMap(({ type, target }) => (type === 'delete' ? target! : []))
}

/** Of `messages` those that began a thread to which one of `seqs` may have belonged. */
export function rootsAround(messages: readonly LoggedMessage[], seqs: readonly number[]): number[] {
  const mayBegin = (message: LoggedMessage): boolean => {
    const last = isGone(message) ? undefined : message.replies?.lastSeq
    return last !== undefined && seqs.some((seq) => message.seq < seq && seq <= last)
  }
  return messages.filter(mayBegin).map(({ seq }) => seq)
}

/** `message` with all of `later` that is about it; these in the order of the room. */
export function foldAll(message: LoggedMessage, later: readonly SentMessage[], me: string): LoggedMessage {
  let folded = message
  for (const entry of later) {
    if (isChange(entry)) {
      if (entry.target === message.seq) folded = applyChange(folded, entry, me)
    } else if (entry.thread === message.seq) folded = countReply(folded, entry)
  }
  return folded
}

/** Whether the message is of someone else and mentions the user, or everyone. */
export function mentions(message: LoggedMessage, me: string): boolean {
  if (isGone(message) || message.from === me) return false
  const names = [`@${me.toLowerCase()}`, '@room']
  return message.mentions?.some((name) => names.includes(name.toLowerCase())) ?? false
}

/** Whether it counts as unread, when it was not read. */
export function isForReading(message: LoggedMessage, me: string): boolean {
  return !isGone(message) && message.from !== me && message.thread === undefined
}
