import { texts } from '../text/text.js'
import { openDialogOf } from './message-dialogs.js'
import { type ShownMessage, targetOf } from './shown-message.js'
import { useView, type View } from './view.js'

/** Offered first. */
export const QUICK = ['👍', '❤️', '😂', '😮', '😢', '🙏'] as const

/** A reaction of the user is taken back if it is there. */
export function toggleReaction(item: ShownMessage, view: View, emoji: string): void {
  const isOn = item.message.reactions?.some((one) => one.me && one.emoji === emoji) ?? false
  view.room.react(targetOf(item), emoji, !isOn)
}

/** What others, and the user, said of a message in a sign: one tap joins them, or takes it back. */
export function Reactions({ item }: { item: ShownMessage }) {
  const t = texts.value
  const view = useView()
  const { reactions = [], seq } = item.message
  if (reactions.length === 0) return null
  return (
    <fieldset class="reactions" aria-label={t.reactions}>
      {reactions.map(({ emoji, count, me }) => (
        <button
          key={emoji}
          type="button"
          class="reaction"
          aria-pressed={me}
          aria-label={t.reactionOf(emoji, count)}
          onClick={() => toggleReaction(item, view, emoji)}
        >
          <span aria-hidden="true">{emoji}</span>
          <span aria-hidden="true">{count}</span>
        </button>
      ))}
      {seq > 0 && (
        <button type="button" class="reaction who" onClick={() => openDialogOf({ kind: 'reactions', view, seq })}>
          {t.whoReacted}
        </button>
      )}
    </fieldset>
  )
}
