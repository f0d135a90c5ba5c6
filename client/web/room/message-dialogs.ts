/** What is asked or shown of one message, or for one, over the page. */
import { signalOfUser } from '../state/of-user.js'
import type { ShownMessage } from './shown-message.js'
import type { View } from './view.js'

export type MessageDialog =
  | { readonly kind: 'emoji'; readonly choose: (emoji: string) => void }
  | { readonly kind: 'forward'; readonly message: ShownMessage['message'] }
  | { readonly kind: 'report'; readonly room: string; readonly seq: number }
  | { readonly kind: 'reactions'; readonly view: View; readonly seq: number }
  | { readonly kind: 'edits'; readonly view: View; readonly seq: number }

export const messageDialog = signalOfUser<MessageDialog | null>(null)

export function openDialogOf(dialog: MessageDialog): void {
  messageDialog.value = dialog
}

export function closeDialogOf(): void {
  messageDialog.value = null
}
