import type { ReadonlySignal } from '@preact/signals'
import type { Edge } from '../../index.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { texts } from '../text/text.js'
import { Icon } from '../ui/icon.js'
import type { View } from './view.js'

interface JumpButtonProps {
  readonly view: View
  readonly isAtEnd: ReadonlySignal<boolean>
  readonly newer: Edge
  readonly jump: () => void
}

/** Back to the newest message, with the number of those that were not read, also where they are not loaded. */
export function JumpButton({ view, isAtEnd, newer, jump }: JumpButtonProps) {
  const t = texts.value
  const { chat } = usePresent()
  const summary = signalOf(chat.rooms).value.find(({ room }) => room === view.room.id)
  // What is unread in a thread is not known here.
  const unread = (view.thread === null && summary?.unread) || 0
  if (isAtEnd.value && newer === 'end') return null
  return (
    <button type="button" class="button jump" onClick={jump}>
      <Icon name="down" />
      <span class="hidden-text">{unread > 0 ? t.toLatestNew(unread) : t.toLatest}</span>
      {unread > 0 && <span aria-hidden="true">{unread < 100 ? unread : t.atMost}</span>}
    </button>
  )
}
