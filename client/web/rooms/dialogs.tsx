import { useEffect } from 'preact/hooks'
import { signalOfUser } from '../state/of-user.js'
import { lazy } from '../ui/lazy.js'

const DIALOGS = {
  new: lazy(async () => ({ default: (await import('./new-room.js')).NewRoom })),
  find: lazy(async () => ({ default: (await import('./find-room.js')).FindRoom })),
  direct: lazy(async () => ({ default: (await import('./new-message.js')).NewMessage })),
  account: lazy(async () => ({ default: (await import('../account/account-dialog.js')).AccountDialog })),
}

export type DialogName = keyof typeof DIALOGS

const shown = signalOfUser<DialogName | null>(null)

export function openDialog(name: DialogName): void {
  shown.value = name
}

const close = (): void => {
  shown.value = null
}

/** The dialog that is open, if there is one. */
export function RoomDialogs() {
  useEffect(openWanted, [])
  if (shown.value === null) return null
  const Shown = DIALOGS[shown.value]
  return <Shown close={close} />
}

/** What a shortcut of the installed app asks for, once. */
function openWanted(): void {
  const wanted = new URLSearchParams(location.search).get('do')
  if (wanted !== 'direct' && wanted !== 'find') return
  history.replaceState(history.state, '', location.pathname)
  openDialog(wanted)
}
