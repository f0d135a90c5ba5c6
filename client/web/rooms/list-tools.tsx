import { useEffect } from 'preact/hooks'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { openOverlay } from '../state/overlay.js'
import { openPanel, openSearch } from '../state/panel.js'
import { navigate, pathTo } from '../state/router.js'
import { texts } from '../text/text.js'
import { Icon } from '../ui/icon.js'
import { Menu } from '../ui/menu.js'
import { showToast } from '../ui/toast.js'
import { isTouch } from '../ui/touch.js'
import { openDialog } from './dialogs.js'

/** What there is besides rooms. */
export function ListMenu() {
  const t = texts.value
  const { chat } = usePresent()
  const { mentions } = signalOf(chat.unread).value
  useEffect(() => chat.on('deviceOffered', ({ by }) => showToast(texts.value.deviceOffered(by))), [chat])
  const items = [
    { text: t.searchMessages, act: openSearch },
    { text: t.goTo, act: () => openOverlay('switcher') },
    { text: mentions > 0 ? t.mentionsNew(mentions) : t.mentionsList, act: () => openPanel({ kind: 'mentions' }) },
    { text: t.followedThreads, act: () => openPanel({ kind: 'followed' }) },
    { text: t.savedMessages, act: () => openPanel({ kind: 'saved' }) },
    { text: t.devices, act: () => navigate(pathTo('devices')) },
    // Of no use where there are fingers alone.
    ...(isTouch() ? [] : [{ text: t.shortcuts, act: () => openOverlay('shortcuts') }]),
  ]
  return <Menu label={t.menu} icon="menu" items={items} />
}

export function ListTools() {
  const t = texts.value
  const items = [
    { text: t.newMessage, act: () => openDialog('direct') },
    { text: t.findRoom, act: () => openDialog('find') },
    { text: t.newRoom, act: () => openDialog('new') },
  ]
  return (
    <>
      <button
        type="button"
        class="button quiet square"
        onClick={openSearch}
        aria-label={t.searchMessages}
        title={t.searchMessages}
      >
        <Icon name="search" />
      </button>
      <Menu label={t.startNew} icon="plus" items={items} />
    </>
  )
}
