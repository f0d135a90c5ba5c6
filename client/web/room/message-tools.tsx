import { useState } from 'preact/hooks'
import { texts } from '../text/text.js'
import { Icon, type IconName } from '../ui/icon.js'
import { Menu, MenuButton, type MenuItem, MenuList } from '../ui/menu.js'
import { openThread, reply } from './message-actions.js'
import { openDialogOf } from './message-dialogs.js'
import { actionsOf } from './message-menu.js'
import { QUICK, toggleReaction } from './reactions.js'
import type { ShownMessage } from './shown-message.js'
import { toolTexts } from './texts.js'
import { useView, type View } from './view.js'

interface ToolsProps {
  readonly item: ShownMessage
  /** Told when its menu is opened and closed. */
  readonly onToggle: (isOpen: boolean) => void
}

/** Beside the message that the pointer or the focus is on. */
export function MessageTools({ item, onToggle }: ToolsProps) {
  const t = toolTexts.value
  const view = useView()
  const isInRoom = item.message.seq > 0
  return (
    <div class="message-tools" role="toolbar" aria-label={t.messageTools}>
      <MenuButton label={t.react} icon="react" class="tool" onToggle={onToggle}>
        {({ close, ...opened }) => (
          <MenuList label={t.react} items={[moreReactions(item, view)]} close={close} {...opened}>
            <QuickReactions item={item} close={close} />
          </MenuList>
        )}
      </MenuButton>
      {isInRoom && <Tool icon="reply" text={t.reply} act={() => reply(item, view)} />}
      {isInRoom && view.thread === null && (
        <Tool icon="thread" text={t.replyInThread} act={() => openThread(item, view)} />
      )}
      <Menu label={texts.value.more} icon="more" class="tool" items={actionsOf(item, view)} onToggle={onToggle} />
    </div>
  )
}

function Tool({ icon, text, act }: { icon: IconName; text: string; act: () => void }) {
  return (
    <button type="button" class="tool" aria-label={text} title={text} onClick={act}>
      <Icon name={icon} mirrored={icon === 'reply'} />
    </button>
  )
}

interface MessageMenuProps {
  readonly item: ShownMessage
  readonly place: () => DOMRect
  readonly close: () => void
}

/** All that can be done with a message: by a long press, or a key. On touch screens it comes from below. */
export function MessageMenu({ item, place, close }: MessageMenuProps) {
  const t = toolTexts.value
  const view = useView()
  // As it was opened: what is offered does not change under the finger.
  const [items] = useState(() => actionsOf(item, view))
  return (
    <MenuList label={t.messageTools} items={[moreReactions(item, view), ...items]} place={place} close={close}>
      <QuickReactions item={item} close={close} />
    </MenuList>
  )
}

function moreReactions(item: ShownMessage, view: View): MenuItem {
  const choose = (emoji: string): void => toggleReaction(item, view, emoji)
  return { icon: 'react', text: toolTexts.value.moreReactions, act: () => openDialogOf({ kind: 'emoji', choose }) }
}

/** Those that are given most, in one step. */
function QuickReactions({ item, close }: Pick<MessageMenuProps, 'item' | 'close'>) {
  const t = toolTexts.value
  const view = useView()
  return (
    <div class="quick-reactions">
      {QUICK.map((emoji) => (
        <button
          key={emoji}
          type="button"
          role="menuitem"
          class="tool emoji"
          data-entry
          tabIndex={-1}
          aria-label={t.reactWith(emoji)}
          onClick={() => {
            close()
            toggleReaction(item, view, emoji)
          }}
        >
          {emoji}
        </button>
      ))}
    </div>
  )
}
