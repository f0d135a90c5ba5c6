/** What has changed in a timeline, for those who are told of it line by line. */
import type { Item } from '../node/index.js'
import { clock, contentOf, type Message, messageLine } from './lines.js'
import { printable, printableLine } from './printable.js'

export type News =
  | { readonly kind: 'message'; readonly message: Message }
  /** Up to `count` messages were missed, and are not here. */
  | { readonly kind: 'missed'; readonly count: number }
  | { readonly kind: 'changed'; readonly line: string }

/** `told`: the messages as they were told, by seq; `last`: the seq up to which everything was. */
export function newsOf(told: ReadonlyMap<number, Item>, now: readonly Item[], last: number): News[] {
  return now.flatMap((item): readonly News[] => {
    if (item.kind === 'gap') {
      const count = item.to - Math.max(item.from - 1, last)
      return count > 0 ? [{ kind: 'missed', count }] : []
    }
    const { seq } = item.message
    if (seq > last) return item.kind === 'message' ? [{ kind: 'message', message: item.message }] : []
    const old = told.get(seq)
    return old?.kind !== 'message' || old === item ? [] : changesOf(old.message, item)
  })
}

/** Whether the broker has it as it is here: it is not, and none of its changes are, on their way. */
export function isSettled(item: Item): boolean {
  return item.kind === 'gap' || ((item.changes ?? []).length === 0 && !(item.kind === 'message' && item.outgoing))
}

/** The last number of the item. */
export function seqOf(item: Item): number {
  return item.kind === 'gap' ? item.to : item.message.seq
}

function changesOf(old: Message, now: Exclude<Item, { kind: 'gap' }>): News[] {
  const lines: string[] = []
  if (now.kind === 'gone') {
    if (now.message.gone === 'deleted')
      lines.push(`${clock(now.message.at ?? Date.now())} ${now.message.by ?? old.from} deleted #${old.seq}`)
  } else {
    const { message } = now
    const { edits, editedAt, editedBy, pinned, seq } = message
    if (edits !== old.edits)
      lines.push(`${clock(editedAt!)} ${editedBy} changed #${seq}: ${printable(contentOf(message).join(' '))}`)
    if (reactionsText(message) !== reactionsText(old)) lines.push(`reactions to #${seq}: ${reactionsText(message)}`)
    if (pinned && !old.pinned) lines.push(`${clock(pinned.at)} ${pinned.by} pinned #${seq}`)
    if (!pinned && old.pinned) lines.push(`#${seq} is pinned no more`)
  }
  return lines.map((line) => ({ kind: 'changed', line }))
}

/** `👍 2 · 🎉 1`, or `none`. */
export function reactionsText({ reactions = [] }: Message): string {
  return reactions.map(({ emoji, count }) => `${printableLine(emoji)} ${count}`).join(' · ') || 'none'
}

/** `items`: where what it answers is looked for. */
export function newsLine(news: News, items: readonly Item[]): string {
  switch (news.kind) {
    case 'message':
      return messageLine(news.message, { items })
    case 'missed':
      return `(up to ${news.count} earlier lines not shown; /history shows the last ones)`
    case 'changed':
      return news.line
  }
}
