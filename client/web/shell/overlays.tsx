import { overlay } from '../state/overlay.js'
import { lazy } from '../ui/lazy.js'

interface OverlayProps {
  readonly close: () => void
}

const OVERLAYS = {
  switcher: lazy<OverlayProps>(() => import('../search/switcher.js')),
  shortcuts: lazy<OverlayProps>(() => import('../search/shortcuts.js')),
}

const close = (): void => {
  overlay.value = null
}

/** The dialog of the whole app that is open, if there is one. */
export function Overlays() {
  if (overlay.value === null) return null
  const Shown = OVERLAYS[overlay.value]
  return <Shown close={close} />
}
