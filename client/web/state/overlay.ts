/** Dialogs of the whole app, which are loaded when they are first opened. */
import { signalOfUser } from './of-user.js'

export type Overlay = 'switcher' | 'shortcuts'

export const overlay = signalOfUser<Overlay | null>(null)

export function openOverlay(opened: Overlay): void {
  overlay.value = opened
}
