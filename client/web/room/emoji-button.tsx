import { texts } from '../text/text.js'
import type { Area } from '../ui/area.js'
import { Icon } from '../ui/icon.js'
import { openDialogOf } from './message-dialogs.js'

/** Puts an emoji where the caret is. */
export function EmojiButton({ area, write }: { area: Area; write: (text: string) => void }) {
  const t = texts.value
  const open = (): void => {
    const { selectionStart = 0, selectionEnd = 0 } = area.current ?? {}
    const put = (emoji: string): void => {
      const { current } = area
      if (!current) return
      current.focus()
      current.setRangeText(emoji, selectionStart, selectionEnd, 'end')
      write(current.value)
    }
    // What lies behind a dialog takes no caret: it is gone with the next frame.
    openDialogOf({ kind: 'emoji', choose: (emoji) => requestAnimationFrame(() => put(emoji)) })
  }
  return (
    <button type="button" class="button quiet square" aria-label={t.emoji} title={t.emoji} onClick={open}>
      <Icon name="react" />
    </button>
  )
}
